//! Files as they stand in bug reports of others: what made wrong candles there makes none here, and the words can be followed.

use candlewick_transform::refusal::Refusal;

use crate::support::{Case, Outcome};

const HEADER: &str = "date,open,high,low,close,volume\n";

fn case(interval: &str, calendar: &str) -> Case {
    Case::new(interval).symbol("ABC").calendar(calendar)
}

fn daily(text: impl AsRef<[u8]>) -> Result<Outcome, Refusal> {
    case("1day", "XNYS").try_clean(text)
}

fn refused(text: impl AsRef<[u8]>) -> (&'static str, String) {
    let refusal = daily(text).unwrap_err();
    (refusal.class(), refusal.to_string())
}

/// Files that `cat` put one behind the other (csvkit#888, qsv#527): the columns of the second are elsewhere.
#[test]
fn another_header_among_the_rows_refuses_the_file() {
    for other in [
        "date,close,high,low,open,volume\n2024-01-03,15,20,10,11,5\n",
        "date,close,high,low,open\n2024-01-03,15,20,10,11\n",
        "\"Volume\",\"Open\",\"High\",\"Low\",\"Close\",\"Date\"\n5,11,20,10,15,2024-01-03\n",
    ] {
        let (class, words) = refused(format!("{HEADER}2024-01-02,10,20,10,15,5\n{other}"));
        assert_eq!(class, "several_headers");
        assert!(words.contains("line 3 is another header: ") && words.contains("split the file there"), "{words}");
    }
    let same = daily(format!("{HEADER}2024-01-02,10,20,10,15,5\n{}2024-01-03,11,20,10,15,5\n", HEADER.to_uppercase()));
    let same = same.unwrap();
    assert_eq!((same.reasons(), same.rows().len()), (vec![(3, "unreadable".to_owned())], 2));
    // A note that has the words is no header.
    let note = format!("{HEADER}2024-01-02,10,20,10,15,5\nopen and close in USD\n2024-01-03,11,20,10,15,5\n");
    assert_eq!(daily(note).unwrap().rows().len(), 2);
}

/// Prices above and below a thousand in the same file (ssf#22): `1.234` is not 1.234 there.
#[test]
fn decimal_commas_after_points_make_points_none() {
    let semicolons = HEADER.replace(',', ";");
    let file =
        format!("{semicolons}2024-01-02;1.234;2.345;1.111;2.222;5\n2024-01-03;1.234,5;2.345,5;1.111,5;2.222,5;5\n");
    let rows = ["2024-01-02,1234,2345,1111,2222,5,false", "2024-01-03,1234.5,2345.5,1111.5,2222.5,5,false"];
    assert_eq!(daily(&file).unwrap().rows(), rows);
    let volume = format!("{semicolons}2024-01-02;1;2;1;2;1.234\n2024-01-03;1;2;1;2;1.234.567,0\n");
    assert_eq!(daily(volume).unwrap().rows(), ["2024-01-02,1,2,1,2,1234,false", "2024-01-03,1,2,1,2,1234567,false"]);
    // A decimal point in one row and a decimal comma in another: no mark fits both.
    let both = format!("{semicolons}2024-01-02;1.5;2;1;2;5\n2024-01-03;1.234,5;2.345,5;1.111,5;2.222,5;5\n");
    let (class, words) = refused(both);
    assert_eq!(class, "unreadable_object");
    assert!(words.starts_with("line 3, open: \"1.234,5\" has a decimal comma") && words.contains("1234.5"), "{words}");
    // One cell with a comma says nothing of the others.
    let slip = format!("{semicolons}2024-01-02;1;2;1;2;1\n2024-01-03;1,5;2;1;2;1\n");
    assert_eq!(daily(slip).unwrap().reasons(), [(3, "unreadable".to_owned())]);
}

/// The close time of Binance, in the column of the time (ccxt#21783).
#[test]
fn a_time_in_the_middle_of_a_second_is_no_candles() {
    let text = "time,open,high,low,close\n1704157199999,1,2,1,2\n1704157200000,1,2,1,2\n";
    for (interval, calendar) in [("1h", "none"), ("1h", "24/7"), ("1day", "none")] {
        let outcome = case(interval, calendar).try_clean(text);
        let quarantined = outcome.map(|outcome| (outcome.reasons(), outcome.details(), outcome.times()));
        match interval {
            "1day" => assert!(quarantined.unwrap_err().to_string().contains("ends in a fraction of a second")),
            _ => {
                let (reasons, details, times) = quarantined.unwrap();
                assert_eq!(
                    (reasons, times),
                    (vec![(2, "unreadable".to_owned())], vec!["2024-01-02T01:00:00Z".to_owned()])
                );
                assert!(details[0].contains("ends in a fraction of a second"), "{details:?}");
            }
        }
    }
}

/// What exchanges and spreadsheets write where there is no volume.
#[test]
fn no_volume_by_any_of_its_names_costs_no_candle() {
    for nothing in ["N.A.", "n/d", "—", "–", "NaT", ".", "-1.0"] {
        let outcome = daily(format!("{HEADER}2024-01-02,1,2,1,2,{nothing}\n")).unwrap();
        assert_eq!(outcome.rows(), ["2024-01-02,1,2,1,2,false"], "{nothing}");
    }
}

/// A header by semicolons over rows by commas (zipline#2162), and rows that a spreadsheet quoted whole.
#[test]
fn rows_that_are_separated_otherwise_are_told_as_that() {
    let semicolons = HEADER.replace(',', ";");
    let (_, words) = refused(format!("{semicolons}2024-01-02,1,2,1,2,5\n"));
    assert!(words.contains("1 cells for 6: it is not separated as the header is"), "{words}");
}

/// A hundred thousand rows of one time, some of them equal: the counts add up in the words too.
#[test]
fn rows_that_were_equal_are_counted_where_nothing_is_left() {
    let text = format!("{HEADER}2024-01-02,1,2,1,2,5\n2024-01-02,1,2,1,2,5\n2024-01-02,1,2,1,1,5\n");
    let reasons = case("1day", "XNYS").nothing_usable(text);
    let sum: u64 = reasons.iter().map(|(_, count)| count).sum();
    assert_eq!(sum, 3, "{reasons:?}");
}

/// Rows between the candles that are none: a split without prices (yfinance#559), a dividend (yfinance#973), notes behind the table.
#[test]
fn rows_that_are_about_something_else_cost_no_other_row() {
    let weeks = "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n2021-02-22,44,44,37,38,132,0,0\n\
                 2021-03-01,40,42,27,32,130,0,0\n2021-03-02,,,,,,0,15\n2021-03-08,32,33,30,31,99,0,0\n";
    let outcome = case("1week", "XNYS").clean(weeks);
    assert_eq!(outcome.times(), ["2021-02-22", "2021-03-01", "2021-03-08"]);
    assert_eq!(outcome.reasons(), [(4, "missing".to_owned())]);
    let days = "Date,Open,High,Low,Close*,Adj Close**,Volume\n2022-03-17,1,2,1,2,2,5\n2022-03-17,0.395 Dividend\n\
                2022-03-16,1,2,1,2,2,5\n\n\"Close price adjusted for splits.\"\n";
    let outcome = daily(days).unwrap();
    assert_eq!((outcome.times().len(), outcome.reasons().len()), (2, 2));
}

/// Floats and exponents of clients (ccxt#16107, ccxt#24135), and a source that went over to microseconds.
#[test]
fn floats_and_exponents_are_the_numbers_that_they_are() {
    let crypto = case("1day", "24/7").now("2025-01-05T00:00:00Z");
    let text = "timestamp,open,high,low,close,volume\n1735603200000.0,1e-7,2E-07,1.0e-07,1.5e-7,1e12\n1735689600000000,1,2,1,2,5\n";
    let rows =
        ["2024-12-31,0.0000001,0.0000002,0.0000001,0.00000015,1000000000000,false", "2025-01-01,1,2,1,2,5,false"];
    assert_eq!(crypto.clean(text).rows(), rows);
}

/// Numbers that other readers take for numbers.
#[test]
fn what_is_a_number_only_to_others_is_none() {
    for price in
        ["inf", "0x10", "1_000", "１２", "١٢", "−5", "1\u{a0}234", "$100", "100%", "1d3", "1/2", "'100", "=\"100\""]
    {
        let outcome = daily(format!("{HEADER}2024-01-02,{price},200000,0.1,100,5\n2024-01-03,1,2,1,2,5\n")).unwrap();
        assert_eq!(outcome.times(), ["2024-01-03"], "{price}");
    }
}
