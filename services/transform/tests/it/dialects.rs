//! Files as many sources write them: how each is read, and what its candles are.

use candlewick_shared::core::form::Column;
use encoding_rs::GB18030;

use crate::support::Case;

/// A file, what is known of it, how it is read, and its candles.
struct File {
    text: &'static str,
    interval: &'static str,
    calendar: &'static str,
    dialect: &'static str,
    rows: &'static [&'static str],
}

const fn daily(text: &'static str, dialect: &'static str, rows: &'static [&'static str]) -> File {
    File { text, interval: "1day", calendar: "none", dialect, rows }
}

const fn minutes(text: &'static str, dialect: &'static str, rows: &'static [&'static str]) -> File {
    File { text, interval: "1min", calendar: "none", dialect, rows }
}

const DAY: &[&str] = &["2024-01-02,100,102,99,101,1000,false"];
const DAYS: &[&str] = &["2024-01-02,100,102,99,101,1000,false", "2024-01-03,101,103,100,102,900,false"];
const MINUTE: &[&str] = &["2024-01-02T14:30:00Z,100,102,99,101,1000,false"];
const MINUTES: &[&str] =
    &["2024-01-02T14:30:00Z,100,102,99,101,1000,false", "2024-01-02T14:31:00Z,101,103,100,102,900,false"];

/// Each by its header and rows as the source writes them.
const FILES: &[File] = &[
    daily(
        "startTime,openPrice,highPrice,lowPrice,closePrice,volume,turnover\n1704153600000,100,102,99,101,1000,101000\n",
        "CSV",
        DAY,
    ),
    daily(
        "\"Historical Data\"\n\"From 2024-01-02\"\nDate;Open;High;Low;Last;Close;\"Number of Shares\";Turnover\n\
         02/01/2024;100;102;99;101;101;1000;100000\n23/01/2024;100;102;99;101;101;1000;100000\n",
        "CSV, separated by semicolons, 2 lines before the header, dates by day, month, year",
        &["2024-01-02,100,102,99,101,1000,false", "2024-01-23,100,102,99,101,1000,false"],
    ),
    daily(
        "Price,Close,High,Low,Open,Volume\nTicker,ABC,ABC,ABC,ABC,ABC\nDate,,,,,\n2024-01-02,101,102,99,100,1000\n",
        "yfinance, 2 lines before the header",
        DAY,
    ),
    daily(
        "Ticker,ABC,ABC,ABC,ABC,ABC\nPrice,Open,High,Low,Close,Volume\nDate,,,,,\n2024-01-02,100,102,99,101,1000\n",
        "yfinance, 2 lines before the header",
        DAY,
    ),
    daily(
        "1704153600000,100,102,99,101,1000,1704239999999,1,2,3,4,0\n1704240000000,101,103,100,102,900,1704326399999,1,2,3,4,0\n",
        "Binance klines, without a header",
        DAYS,
    ),
    minutes(
        "1704205800000000,100,102,99,101,1000,1704205859999999,1,2,3,4,0\n",
        "Binance klines, without a header",
        MINUTE,
    ),
    minutes(
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,ignore\n1704205800000,100,102,99,101,1000,1704205859999,1,2,0\n",
        "Binance klines",
        MINUTE,
    ),
    daily(
        "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp\n\
         \"2024-01-02T00:00:00.000Z\";\"2024-01-02T23:59:59.999Z\";\"2024-01-02T12:00:00.000Z\";\"2024-01-02T03:00:00.000Z\";\
         \"2781\";100;102;99;101;1000;1E9;\"2024-01-02T23:59:59.999Z\"\n",
        "CoinMarketCap, separated by semicolons",
        DAY,
    ),
    daily(
        "timestamp,open_time,open,high,low,close,volume\n2024-01-02,09:30,100.00000,102.00000,99.00000,101.00000,1000\n",
        "CSV",
        DAY,
    ),
    daily(
        "<TICKER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\nABC,20240102,000000,100,102,99,101,1000\n",
        "MetaStock, time from columns \"<DTYYYYMMDD>\" and \"<TIME>\"",
        DAY,
    ),
    minutes(
        "<ticker>,<dtyyyymmdd>,<time>,<open>,<high>,<low>,<close>,<vol>\nABC,20240102,143000,100,102,99,101,1000\n",
        "MetaStock, time from columns \"<dtyyyymmdd>\" and \"<time>\"",
        MINUTE,
    ),
    minutes("1704205800000,100,102,99,101,1000\n", "CSV, without a header", MINUTE),
    minutes(
        "timestamp,datetime,open,high,low,close,volume\n1704205800000,2024-01-02T14:30:00.000Z,100,102,99,101,1000\n",
        "CSV",
        MINUTE,
    ),
    minutes(
        "https://www.example.com\nunix,date,symbol,open,high,low,close,Volume ABC,Volume USD\n1704205800,2024-01-02 14:30:00,ABC/USD,100,102,99,101,1000,9\n",
        "CryptoDataDownload, 1 line before the header",
        MINUTE,
    ),
    daily(
        "timestamp,1. open,2. high,3. low,4. close,5. volume\n2024-01-02,100,102,99,101,1000\n",
        "Alpha Vantage",
        DAY,
    ),
    minutes(
        "ticker,volume,open,close,high,low,window_start,transactions\nABC,1000,100,101,102,99,1704205800000000000,7\n",
        "a Polygon flat file",
        MINUTE,
    ),
    minutes("v,vw,o,c,h,l,t,n\n1000,100.5,100,101,102,99,1704205800000,7\n", "Polygon aggregates", MINUTE),
    minutes(
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n1704205800000000000,33,2,1,100000000000,102000000000,99000000000,101000000000,1000,ABC\n",
        "Databento, prices in billionths",
        MINUTE,
    ),
    minutes(
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2024.01.02\t14:30:00\t100\t102\t99\t101\t1000\t0\t3\n",
        "MetaTrader 5, separated by tabs, time from columns \"<DATE>\" and \"<TIME>\"",
        MINUTE,
    ),
    daily(
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2024.01.02\t100\t102\t99\t101\t7\t1000\t3\n",
        "MetaTrader 5, separated by tabs",
        DAY,
    ),
    minutes(
        "2024.01.02,14:30,100,102,99,101,1000\n2024.01.02,14:31,101,103,100,102,900\n",
        "MetaTrader 4, without a header, time from columns \"column 1\" and \"column 2\"",
        MINUTES,
    ),
    minutes(
        "20240102 143000;100;102;99;101;1000\n20240102 143100;101;103;100;102;900\n",
        "HistData or NinjaTrader, without a header, separated by semicolons",
        MINUTES,
    ),
    minutes(
        "date,open,high,low,close,volume,average,barCount\n20240102 09:30:00 US/Eastern,100,102,99,101,1000,100.5,7\n",
        "Interactive Brokers, times of US/Eastern",
        MINUTE,
    ),
    minutes(
        "Gmt time,Open,High,Low,Close,Volume\n02.01.2024 14:30:00.000,100,102,99,101,1000\n",
        "Dukascopy, times of UTC, dates by day, month, year",
        MINUTE,
    ),
    minutes(
        "Local time,Open,High,Low,Close,Volume\n02.01.2024 15:30:00.000 GMT+0100,100,102,99,101,1000\n",
        "Dukascopy, dates by day, month, year",
        MINUTE,
    ),
    daily(
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\n2024-01-02,100,102,99,101,1000\n",
        "stooq (Polish)",
        DAY,
    ),
    daily(
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nABC.US,D,20240102,000000,100,102,99,101,1000,0\n",
        "stooq in bulk, time from columns \"<DATE>\" and \"<TIME>\"",
        DAY,
    ),
    daily(
        "\u{feff}\"Date\",\"Price\",\"Open\",\"High\",\"Low\",\"Vol.\",\"Change %\"\n\"01/31/2024\",\"102.00\",\"101.00\",\"103.00\",\"100.00\",\"0.90K\",\"1%\"\n\"01/02/2024\",\"101.00\",\"100.00\",\"102.00\",\"99.00\",\"1.00K\",\"-1%\"\n",
        "investing.com, dates by month, day, year",
        &["2024-01-02,100,102,99,101,1000,false", "2024-01-31,101,103,100,102,900,false"],
    ),
    daily(
        "\"Date\",\"Price\",\"Open\",\"High\",\"Low\",\"Vol.\",\"Change %\"\n\"Jan 02, 2024\",\"1,101.00\",\"1,100.00\",\"1,102.00\",\"1,099.00\",\"1.25M\",\"1%\"\n",
        "investing.com",
        &["2024-01-02,1100,1102,1099,1101,1250000,false"],
    ),
    daily(
        "Date,Close/Last,Volume,Open,High,Low\n01/02/2024,$101.00,1000,$100.00,$102.00,$99.00\n",
        "nasdaq.com, dates by month, day, year",
        DAY,
    ),
    daily(
        "Time,Open,High,Low,Latest,Change,%Change,Volume,Volume (€)\n01/31/2024,101,103,100,102,1,1%,900,91800\n01/02/2024,100,102,99,101,1,1%,1000,101000\n\"Downloaded from example.com as of 02-01-2024\"\n",
        "CSV, dates by month, day, year, 1 line of remarks",
        &["2024-01-02,100,102,99,101,1000,false", "2024-01-31,101,103,100,102,900,false"],
    ),
    daily(
        "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,\nABC,EQ,100,102,99,101,101,100,1000,101000,02-JAN-2024,10,INE000000001,\n",
        "an NSE bhavcopy",
        DAY,
    ),
    daily(
        "\"Date \",\"series \",\"OPEN \",\"HIGH \",\"LOW \",\"PREV. CLOSE \",\"ltp \",\"close \",\"vwap \",\"VOLUME \"\n\"02-Jan-2024\",\"EQ\",\"1,100.00\",\"1,102.00\",\"1,099.00\",\"1,100.00\",\"1,101.00\",\"1,101.00\",\"1,100.5\",\"12,34,567\"\n",
        "the NSE website",
        &["2024-01-02,1100,1102,1099,1101,1234567,false"],
    ),
    daily("日期,开盘,收盘,最高,最低,成交量,成交额\n2024-01-02,100,101,102,99,1000,1\n", "akshare", DAY),
    minutes(
        "Timestamp,Gmtoffset,Datetime,Open,High,Low,Close,Volume\n1704205800,0,2024-01-02 14:30:00,100,102,99,101,1000\n",
        "EODHD",
        MINUTE,
    ),
    daily(
        "\"\",\"ABC.Open\",\"ABC.High\",\"ABC.Low\",\"ABC.Close\",\"ABC.Volume\",\"ABC.Adjusted\"\n\"2024-01-02\",100,102,99,101,1000,101\n",
        "CSV",
        DAY,
    ),
    daily(
        "\"Date\",\"Open\",\"High\",\"Low\",\"Close\",\"Volume\"\n\"1\",2024-01-02,100,102,99,101,1000\n\"2\",2024-01-03,101,103,100,102,900\n",
        "CSV, row names in the first column",
        DAYS,
    ),
    daily(
        "sep=;\nDate;Open;High;Low;Close;Volume\n2024-01-02;100;102;99;101;1000\n",
        "CSV, separated by semicolons, 1 line before the header",
        DAY,
    ),
    daily(
        "# downloaded on Monday\nDate|Open|High|Low|Close|Volume\n2024-01-02|100|102|99|101|1000\n\nSource: somebody\n",
        "CSV, separated by bars, 1 line before the header, 1 line of remarks",
        DAY,
    ),
    daily(
        "Date;Open;High;Low;Close;Volume\n2024-01-02;100,00;102,00;99,00;101,00;1.000\n",
        "CSV, separated by semicolons, decimal commas",
        DAY,
    ),
    daily(
        "Date,Open,High,Low,Close,Volume\n2024-01-02,100,102,99,101,1000\n13/01/2024,1,2,1,2,5\n03/01/2024,101,103,100,102,900\n",
        "CSV, dates by day, month, year",
        &["2024-01-02,100,102,99,101,1000,false", "2024-01-03,101,103,100,102,900,false", "2024-01-13,1,2,1,2,5,false"],
    ),
    minutes(
        "Date,Time,Open,High,Low,Close,Volume\n1/2/2024,2:30:00 PM,100,102,99,101,1000\n1/31/2024,2:31:00 PM,101,103,100,102,900\n",
        "CSV, time from columns \"Date\" and \"Time\", dates by month, day, year",
        &["2024-01-02T14:30:00Z,100,102,99,101,1000,false", "2024-01-31T14:31:00Z,101,103,100,102,900,false"],
    ),
];

fn case(file: &File) -> Case {
    Case::new(file.interval).symbol("ABC").calendar(file.calendar)
}

#[test]
fn files_of_every_source_are_read_as_what_they_are() {
    for file in FILES {
        let outcome = case(file).try_clean(file.text).unwrap_or_else(|refusal| panic!("{}: {refusal}", file.text));
        assert_eq!(outcome.report.dialect.as_deref(), Some(file.dialect), "{}", file.text);
        assert_eq!(outcome.rows(), file.rows, "{}", file.text);
        let rows = &outcome.report.rows;
        assert_eq!(rows.read, rows.accounted_for(), "{}", file.text);
    }
}

#[test]
fn a_turnover_is_no_volume_in_any_language() {
    let text = "Datum;Open;High;Low;Close;Volumen (€)\n31.01.2024;10,50000;11,00000;10,10000;10,90000;9000\n";
    let outcome = Case::new("1day").clean(text);
    assert_eq!(outcome.rows(), ["2024-01-31,10.5,11,10.1,10.9,false"]);
    assert_eq!(outcome.report.ignored_columns, ["Volumen (€)"]);
}

#[test]
fn a_file_in_another_encoding_has_the_same_candles() {
    for file in FILES {
        let expected = case(file).clean(file.text);
        let bare = file.text.strip_prefix('\u{feff}').unwrap_or(file.text);
        let utf16: Vec<u8> = format!("\u{feff}{bare}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let outcome = case(file).clean(&utf16);
        assert_eq!((outcome.csv, outcome.report.rows), (expected.csv, expected.report.rows), "{}", file.text);
    }
    let akshare = "日期,开盘,收盘,最高,最低,成交量\n2024-01-02,100,101,102,99,1000\n";
    let outcome = Case::new("1day").clean(GB18030.encode(akshare).0);
    assert_eq!(
        (outcome.rows(), outcome.report.dialect.as_deref()),
        (vec![DAY[0].to_owned()], Some("akshare, in gb18030"))
    );
}

#[test]
fn what_can_be_read_in_two_ways_is_refused_with_both() {
    let refused = |text: &str| {
        let refusal = Case::new("1day").try_clean(text).unwrap_err();
        assert_eq!(refusal.class(), "ambiguous_object", "{text}");
        refusal.to_string()
    };
    let dates = refused("Date,Open,High,Low,Close\n01/02/2024,1,2,1,2\n01/03/2024,1,2,1,2\n");
    assert!(dates.starts_with("line 2: \"01/02/2024\" is 2024-02-01 or 2024-01-02"), "{dates}");
    assert!(dates.contains("--date-format %d/%m/%Y or --date-format %m/%d/%Y"), "{dates}");
    let numbers = refused("Date;Open;High;Low;Close\n2024-01-02;1,234;1,235;1,233;1,234\n");
    assert!(numbers.starts_with("line 2: \"1,234\" is 1234 or 1.234") && numbers.contains("--decimal"), "{numbers}");
    let orders = refused("Date,Open,High,Low,Close\n13/01/2024,1,2,1,2\n01/14/2024,1,2,1,2\n");
    assert!(orders.contains("line 2: \"13/01/2024\" is not") || orders.contains("no order in common"), "{orders}");
}

#[test]
fn lines_and_rows_of_a_report_are_those_of_the_file() {
    let text = "a banner\nDate;Open;High;Low;Close;Volume\n2024-01-02;100,5;102,5;99,5;101,5;1000\n2024-01-03;x;1;1;1;1\n\
                2024-01-04;\"100,5;1;1;1;1\n2024-01-05;1;2\n";
    let outcome = Case::new("1day").clean(text);
    let quarantined = outcome.quarantined();
    let lines: Vec<_> =
        quarantined.iter().map(|(line, _, reason, row)| (*line, reason.as_str(), row.as_str())).collect();
    let expected = [
        (4, "unreadable", "2024-01-03;x;1;1;1;1"),
        (5, "open_quote", "2024-01-04;\"100,5;1;1;1;1"),
        (6, "ragged", "2024-01-05;1;2"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(outcome.rows(), ["2024-01-02,100.5,102.5,99.5,101.5,1000,false"]);
}

/// A remark between two kinds of line breaks leaves an empty line, not one break of both.
#[test]
fn lines_are_counted_alike_whatever_breaks_them() {
    let text = "Date;Open;High;Low;Close\r15.01.2024;1,5;2,5;1,5;2,5\r# remark\n16.01.2024;1,5;2,5;1,5;x\n";
    let cleaned = Case::new("1day").clean(text);
    assert_eq!(cleaned.rows(), ["2024-01-15,1.5,2.5,1.5,2.5,false"]);
    let lines: Vec<_> = cleaned.quarantined().iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [4]);
}

#[test]
fn a_remark_at_the_end_is_a_row_whether_or_not_a_line_break_follows() {
    let text = "Date;Open;High;Low;Close\n15.01.2024;1,5;2,5;1,5;2,5\nDownloaded today";
    let read = |text: &str| Case::new("1day").clean(text).report.rows.read;
    assert_eq!((read(text), read(&format!("{text}\n"))), (2, 2));
}

#[test]
fn several_instruments_side_by_side_are_refused() {
    let text = "Price,Open,Open,High,High,Low,Low,Close,Close\nTicker,AAA,BBB,AAA,BBB,AAA,BBB,AAA,BBB\nDate,,,,,,,,\n2024-01-02,1,1,2,2,1,1,2,2\n";
    let refusal = Case::new("1day").symbol("AAA").try_clean(text).unwrap_err();
    assert!(refusal.class() == "several_instruments" && refusal.to_string().contains("AAA, BBB"), "{refusal}");
    let other = "Index,MSFT.Open,MSFT.High,MSFT.Low,MSFT.Close\n2024-01-02,1,2,1,2\n";
    assert_eq!(Case::new("1day").symbol("AAA").try_clean(other).unwrap_err().class(), "other_instrument");
}

#[test]
fn what_the_owner_says_of_a_form_decides() {
    let mut case = Case::new("1day");
    case.settings.form.date_format = Some("%m/%d/%Y".to_owned());
    let text = "Date,Open,High,Low,Close\n01/02/2024,100,102,99,101\n01/03/2024,101,103,100,102\n13/13/2024,1,2,1,2\n";
    let outcome = case.clean(text);
    assert_eq!(outcome.times(), ["2024-01-02", "2024-01-03"]);
    assert_eq!(outcome.report.dialect.as_deref(), Some("CSV, times as %m/%d/%Y"));
    let mut case = Case::new("1day");
    case.settings.form.decimal = Some(',');
    let outcome = case.clean("Date;Open;High;Low;Close\n2024-01-02;1,234;1,235;1,233;1,234\n2024-01-03;1.5;2;1;1\n");
    assert_eq!(outcome.rows(), ["2024-01-02,1.234,1.235,1.233,1.234,false"]);
    assert_eq!(outcome.reasons(), [(3, "unreadable".to_owned())]);
}

#[test]
fn a_plain_file_with_a_row_that_has_two_readings_stays_plain() {
    let text = "Date,Open,High,Low,Close\n2024-01-02,100,102,99,101\n01/03/2024,101,103,100,102\n";
    let outcome = Case::new("1day").clean(text);
    assert_eq!(
        (outcome.times(), outcome.reasons()),
        (vec!["2024-01-02".to_owned()], vec![(3, "unreadable".to_owned())])
    );
    assert_eq!(outcome.report.dialect, None);
}

#[test]
fn a_column_that_the_format_names_and_the_file_lacks_is_refused_with_those_that_are_there() {
    let mut case = Case::new("1day");
    case.settings.form.columns = [(Column::Close, "Adj Close".to_owned())].into();
    let with = "Date,Open,High,Low,Close,Adj Close\n2024-01-02,100,102,99,101,100.5\n";
    assert_eq!(case.clean(with).rows(), ["2024-01-02,100,102,99,100.5,false"]);
    let without = "Date,Open,High,Low,Close\n2024-01-02,100,102,99,101\n";
    let error = case.try_clean(without).unwrap_err().to_string();
    assert!(error.contains("the close is in column \"Adj Close\"") && error.contains("\"Low\", \"Close\""), "{error}");
    let error = case.try_clean("when,price\n2024-01-02,100\n").unwrap_err().to_string();
    assert!(error.contains("It begins with \"when,price\""), "{error}");
}

/// Hours that name their zone, each in its own way.
const ZONES: &str = "date,open,high,low,close\n2024-01-05 09:30 US/Eastern,1,2,1,2\n2024-01-05 10:30 America/New_York,1,2,1,2\n\
                     2024-01-05 11:30 EST,1,2,1,2\n2024-01-05 12:30,1,2,1,2\n2024-03-10 02:30 US/Eastern,1,2,1,2\n";

#[test]
fn a_zone_in_a_cell_is_the_zone_of_that_cell_whatever_the_format_says() {
    let mut case = Case::new("1h");
    case.settings.form.timezone = Some("Asia/Tokyo".to_owned());
    let outcome = case.clean(ZONES);
    let expected = ["2024-01-05T03:30:00Z", "2024-01-05T14:30:00Z", "2024-01-05T15:30:00Z", "2024-01-05T16:30:00Z"];
    assert_eq!(outcome.times(), expected);
    assert_eq!(outcome.reasons(), [(6, "unreadable".to_owned())]);
    assert!(outcome.details()[0].contains("clocks in US/Eastern skipped or repeated"), "{:?}", outcome.details());
    let days = "date,open,high,low,close\n2024-01-04 00:00 US/Eastern,1,2,1,2\n2024-01-05 00:00 Asia/Tokyo,1,2,1,2\n";
    assert_eq!(Case::new("1day").clean(days).times(), ["2024-01-04", "2024-01-05"]);
}

#[test]
fn a_skipped_time_is_explained_with_the_zone_that_skipped_it() {
    let named = "date,open,high,low,close\n2024-03-10 01:30 US/Eastern,1,2,1,2\n2024-03-10 02:30 US/Eastern,1,2,1,2\n";
    let outcome = Case::new("1h").zone("Asia/Tokyo").clean(named);
    assert_eq!(
        (outcome.times(), outcome.reasons()),
        (vec!["2024-03-10T06:30:00Z".to_owned()], vec![(3, "skipped_time".to_owned())])
    );
    assert!(outcome.details()[0].contains("clocks in US/Eastern skipped"), "{:?}", outcome.details());
}

#[test]
fn local_times_below_the_abbreviation_of_several_zones_are_asked_for() {
    for header in ["Time (EST)", "Date (ET)", "local time", "Time (GMT+2)"] {
        let text = format!("{header},Open,High,Low,Close\n2024-01-02 09:30,100,102,99,101\n2024-01-02 09:31,1,2,1,2\n");
        let error = Case::new("1min").try_clean(&text).unwrap_err();
        assert_eq!(error.class(), "ambiguous_object", "{header}");
        assert!(error.to_string().contains(&format!("column {header:?}")), "{error}");
        let mut case = Case::new("1min").zone("America/New_York");
        case.instrument.timezone = Some("America/New_York".to_owned());
        assert_eq!(case.clean(&text).times()[0], "2024-01-02T14:30:00Z", "{header}");
    }
    let instants = "Local time,Open,High,Low,Close\n02.01.2024 15:30:00.000 GMT+0100,1,2,1,2\n";
    assert!(Case::new("1min").try_clean(instants).is_ok());
    let days = "Date (ET),Open,High,Low,Close\n2024-01-02,1,2,1,2\n";
    assert!(Case::new("1day").try_clean(days).is_ok());
}

#[test]
fn sites_in_other_languages_are_read() {
    for (header, decimal) in [
        ("Дата,Цена,Откр.,Макс.,Мин.,Объём,Изм. %", ','),
        ("Tarih,Şimdi,Açılış,Yüksek,Düşük,Hac.,Fark %", ','),
        ("Datum,Laatste,Open,Hoog,Laag,Vol.,Verschil %", ','),
        ("Data,Ostatnio,Otwarcie,Max.,Min.,Wol.,Zmiana%", ','),
        ("日期,收盘,开盘,高,低,交易量,涨跌幅", '.'),
        ("Date,PX_LAST,PX_OPEN,PX_HIGH,PX_LOW,PX_VOLUME,note", '.'),
    ] {
        let row =
            |cells: [&str; 6]| cells.map(|cell| format!("\"{}\"", cell.replace('.', &decimal.to_string()))).join(",");
        let rows = [
            row(["101.5", "100.5", "102.5", "99.5", "1.25M", "0.5%"]),
            row(["100.5", "100.5", "102.5", "99.5", "900K", "1%"]),
        ];
        let text = format!("{header}\n\"31.01.2024\",{}\n\"30.01.2024\",{}\n", rows[0], rows[1]);
        let expected =
            ["2024-01-30,100.5,102.5,99.5,100.5,900000,false", "2024-01-31,100.5,102.5,99.5,101.5,1250000,false"];
        assert_eq!(Case::new("1day").clean(&text).rows(), expected, "{header}");
    }
}

#[test]
fn what_a_spreadsheet_made_of_times_is_named() {
    for (cell, words) in [
        ("45293", "is how a spreadsheet numbers days"),
        ("45293.3958333333", "is how a spreadsheet numbers days"),
        ("1.7041536E+12", "is a rounded number"),
    ] {
        let text = format!("Date,Open,High,Low,Close\n{cell},1,2,1,2\n2024-01-02,1,2,1,2\n");
        let outcome = Case::new("1day").clean(text);
        assert!(outcome.details()[0].contains(words), "{:?}", outcome.details());
    }
    let days = "Date,Open,High,Low,Close\n1/2/2024 16:00:00,1,2,1,2\n1/31/2024 16:00:00,1,2,1,2\n";
    let mut case = Case::new("1day");
    assert_eq!(case.nothing_usable(days), [("other_interval".to_owned(), 2)]);
    case.settings.form.date_format = Some("%m/%d/%Y 16:00:00".to_owned());
    assert_eq!(case.clean(days).times(), ["2024-01-02", "2024-01-31"]);
}

#[test]
fn local_times_beside_a_column_of_zones_are_asked_for() {
    for delimiter in [",", "|"] {
        let text = "datetime,timezone,open,high,low,close\n2024-01-02 09:30,America/New_York,1,2,1,2\n"
            .replace(',', delimiter);
        let error = Case::new("1h").try_clean(&text).unwrap_err().to_string();
        assert!(error.contains("column \"timezone\" does not say clearly"), "{error}");
        let mut case = Case::new("1h").zone("America/New_York");
        case.instrument.timezone = Some("America/New_York".to_owned());
        assert_eq!(case.clean(&text).times(), ["2024-01-02T14:30:00Z"]);
        assert!(Case::new("1h").try_clean(text.replace("09:30", "09:30Z")).is_ok());
    }
}

#[test]
fn no_candle_begins_within_a_minute() {
    let text = "close_time,open,high,low,close\n2024-01-02 09:29:59,1,2,1,2\n2024-01-02 10:29:59,1,2,1,2\n";
    for text in [text.to_owned(), text.replace("close_time", "time")] {
        assert_eq!(Case::new("1h").nothing_usable(&text), [("other_interval".to_owned(), 2)], "{text}");
    }
}
