//! The parameters of `/time_series`, and its errors.

use crate::support::{Local, local};

#[test]
fn the_daily_end_date_is_exclusive_as_documented() {
    let dates = local().times("symbol=AAPL&interval=1day&end_date=2020-05-06&outputsize=5");
    assert_eq!(dates, ["2020-05-05", "2020-05-04", "2020-05-01", "2020-04-30", "2020-04-29"]);
}

#[test]
fn the_start_date_and_the_intraday_end_date_are_inclusive() {
    let times = local()
        .times("symbol=AAPL&interval=30min&start_date=2024-06-03T10:00:00&end_date=2024-06-03+11:00:00&order=asc");
    assert_eq!(times, ["2024-06-03 10:00:00", "2024-06-03 10:30:00", "2024-06-03 11:00:00"]);
    let dates = local().times("symbol=AAPL&interval=1day&start_date=2024-06-03&end_date=2024-06-05&order=asc");
    assert_eq!(dates, ["2024-06-03", "2024-06-04"]);
}

#[test]
fn thirty_rows_come_without_dates_and_all_with_them() {
    assert_eq!(local().times("symbol=AAPL&interval=1day").len(), 30);
    assert_eq!(local().times("symbol=AAPL&interval=1day&start_date=2024-01-01&end_date=2025-01-01").len(), 252);
    assert_eq!(local().times("symbol=AAPL&interval=1min&start_date=2021-01-01").len(), 5000);
}

#[test]
fn the_newest_rows_come_first_unless_asked_otherwise() {
    let query = "symbol=AAPL&interval=1day&start_date=2024-06-03&end_date=2024-06-06";
    let descending = local().times(query);
    let ascending = local().times(&format!("{query}&order=ASC"));
    assert_eq!(descending[0], "2024-06-05");
    assert_eq!(ascending, descending.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn a_zone_shifts_intraday_times_and_dates_but_no_daily_ones() {
    let window = "symbol=AAPL&start_date=2024-06-04&end_date=2024-06-05&outputsize=1";
    assert_eq!(local().times(&format!("{window}&interval=1h&timezone=UTC")), ["2024-06-04 19:30:00"]);
    assert_eq!(local().times(&format!("{window}&interval=1h&timezone=Asia/Singapore")), ["2024-06-04 23:30:00"]);
    assert_eq!(local().times(&format!("{window}&interval=1day&timezone=Asia/Singapore")), ["2024-06-04"]);
}

#[test]
fn a_date_may_be_a_word() {
    assert_eq!(local().times("symbol=MSFT&interval=1day&date=today"), ["2026-11-18"]);
    assert_eq!(local().times("symbol=MSFT&interval=1day&date=yesterday"), ["2026-11-17"]);
    // In Tokyo it is tomorrow already, but the dates of daily candles are the exchange's.
    assert_eq!(local().times("symbol=MSFT&interval=1day&date=today&timezone=Asia/Tokyo"), ["2026-11-18"]);
    assert_eq!(local().times("symbol=MSFT&interval=1day&date=2024-06-03"), ["2024-06-03"]);
}

#[test]
fn decimals_are_as_many_as_asked_for() {
    let query = "symbol=AAPL&interval=1day&date=2024-06-03";
    let closes = |dp: &str| local().column(&format!("{query}{dp}"), "close");
    assert_eq!([closes(""), closes("&dp=0"), closes("&dp=5")].concat(), ["194.03", "194", "194.03000"]);
}

#[test]
fn the_previous_close_is_added_on_request() {
    let query = "symbol=AAPL&interval=1day&start_date=2024-06-03&end_date=2024-06-06&previous_close=true";
    let closes = local().column(query, "close");
    let previous = local().column(query, "previous_close");
    assert_eq!(closes[1..], previous[..2]);
    assert!(!previous[2].is_empty(), "the candle before the window counts");
}

#[test]
fn the_fields_of_a_row_come_in_the_documented_order() {
    let document = local().reply("/time_series?symbol=AAPL&interval=1day&date=2024-06-03").into_document();
    let row = "{\"datetime\":\"2024-06-03\",\"open\":\"192.9\",\"high\":\"194.99\",\"low\":\"192.52\",\"close\":\"194.03\",\
               \"volume\":\"50080500\"}";
    assert!(serde_json::to_string(&document).unwrap().contains(row));
}

#[test]
fn csv_has_a_header_and_semicolons() {
    let csv = local().csv("/time_series?symbol=AAPL&interval=1day&date=2024-06-03&FORMAT=csv");
    assert_eq!(csv, "datetime;open;high;low;close;volume\n2024-06-03;192.9;194.99;192.52;194.03;50080500\n");
}

#[test]
fn the_meta_tells_what_an_instrument_is() {
    let meta = |symbol: &str| {
        local().json(&format!("/time_series?interval=1day&outputsize=1&symbol={symbol}"))["meta"].clone()
    };
    let apple = meta("aapl");
    assert_eq!([&apple["symbol"], &apple["mic_code"], &apple["exchange"]], ["AAPL", "XNGS", "NASDAQ"]);
    assert_eq!([&apple["exchange_timezone"], &apple["type"]], ["America/New_York", "Common Stock"]);
    assert_eq!([&meta("SPY")["type"], &meta("SPY")["mic_code"]], ["ETF", "ARCX"]);
    assert_eq!([&meta("SBIN:NSE")["symbol"], &meta("SBIN:NSE")["currency"]], ["SBIN", "INR"]);
    let bitcoin = meta("BTC/USD");
    assert_eq!([&bitcoin["currency_base"], &bitcoin["type"]], ["Bitcoin", "Digital Currency"]);
    assert_eq!(meta("EUR/USD").get("exchange"), None);
    assert_eq!(meta("EUR/USD").get("exchange_timezone"), None);
}

#[test]
fn exchange_code_country_and_type_choose_the_instrument() {
    let mic = |query: &str| {
        local().json(&format!("/time_series?interval=1day&outputsize=1&{query}"))["meta"]["mic_code"].clone()
    };
    for (query, expected) in [
        ("symbol=ZZZ", "XNYS"),
        ("symbol=ZZZ&exchange=nasdaq", "XNGS"),
        ("symbol=ZZZ&mic_code=XNAS", "XNGS"),
        ("symbol=ZZZ:NSE", "XNSE"),
        ("symbol=ZZZ&country=India", "XNSE"),
        ("symbol=AAPL&type=common+stock", "XNGS"),
    ] {
        assert_eq!(mic(query), expected, "{query}");
    }
    for query in ["symbol=AAPL&exchange=NYSE", "symbol=AAPL&type=ETF", "symbol=SBIN:NASDAQ", "symbol=ZZZ&exchange=LSE"]
    {
        assert_eq!(local().error(&format!("/time_series?interval=1day&{query}")).0, 404, "{query}");
    }
}

#[test]
fn several_symbols_are_answered_one_by_one() {
    let reply = local().reply("/time_series?symbol=AAPL,NOSUCH1,%20BTC/USD&interval=1day&outputsize=2");
    assert!(reply.is_batch && reply.status == 200);
    let answer = serde_json::to_value(reply.into_document()).unwrap();
    assert_eq!(answer["AAPL"]["status"], "ok");
    assert_eq!(answer["BTC/USD"]["values"].as_array().unwrap().len(), 2);
    assert_eq!((&answer["NOSUCH1"]["code"], &answer["NOSUCH1"]["status"]), (&404.into(), &"error".into()));
    assert_eq!(local().error("/time_series?symbol=AAPL,MSFT&interval=1day&format=CSV").0, 400, "its shape is unknown");
    assert!(!local().reply("/time_series?symbol=AAPL,&interval=1day").is_batch, "one symbol is no batch");
}

#[test]
fn names_of_parameters_are_read_in_any_case() {
    assert_eq!(local().times("SYMBOL=AAPL&Interval=1day&Start_Date=2024-06-03&END_DATE=2024-06-04"), ["2024-06-03"]);
}

#[test]
fn errors_have_the_documented_codes_and_words() {
    let supported = "1min, 5min, 15min, 30min, 45min, 1h, 2h, 4h, 8h, 1day, 1week, 1month";
    let interval = |given: &str| format!("Invalid **interval** provided: {given}. Supported intervals: {supported}");
    let many = (0..121).map(|number| format!("A{number}")).collect::<Vec<_>>().join(",");
    let unknown = "symbol or figi parameter is missing or invalid";
    let cases = [
        ("symbol=AAPL&interval=0.99min", 400, interval("0.99min")),
        ("symbol=AAPL", 400, interval("")),
        ("interval=1day", 404, unknown.into()),
        ("symbol=NOSUCH&interval=1day", 404, unknown.into()),
        ("symbol=BRK-B&interval=1day", 404, unknown.into()),
        (
            "symbol=GROWER&interval=1day",
            403,
            "This symbol is available starting with Grow plan. Consider upgrading now \
            at https://twelvedata.com/pricing"
                .into(),
        ),
        (&format!("symbol={many}&interval=1day"), 414, "Input parameter array exceeds the allowed length".into()),
    ];
    for (query, code, message) in cases {
        assert_eq!(local().error(&format!("/time_series?{query}")), (code, message), "{query}");
    }
}

#[test]
fn malformed_parameters_are_refused_by_name() {
    for (name, value) in [
        ("outputsize", "0"),
        ("outputsize", "many"),
        ("start_date", "03.06.2024"),
        ("end_date", "2024-13-01"),
        ("order", "up"),
        ("timezone", "Nowhere"),
        ("dp", "12"),
        ("adjust", "some"),
        ("previous_close", "maybe"),
        ("delimiter", "ab"),
    ] {
        let (code, message) = local().error(&format!("/time_series?symbol=AAPL&interval=1day&{name}={value}"));
        assert!(code == 400 && message.starts_with(&format!("Invalid **{name}** provided: {value}.")), "{message}");
    }
}

#[test]
fn a_key_is_required_in_header_or_query() {
    let asked = |local: &Local, url: &str, key: Option<&str>| {
        let request = candlewick_simulator::batch::request(&url.parse().unwrap(), key);
        local.simulator.answer(&request, local.now).status
    };
    let any = local();
    let one = crate::support::local_with(&candlewick_simulator::settings::Settings {
        key: Some("right".into()),
        ..Default::default()
    });
    let url = "/time_series?symbol=AAPL&interval=1day";
    assert_eq!((asked(&any, url, None), asked(&any, url, Some("")), asked(&any, url, Some("x"))), (401, 401, 200));
    assert_eq!(asked(&any, &format!("{url}&apikey=x"), None), 200);
    assert_eq!((asked(&one, url, Some("wrong")), asked(&one, url, Some("right"))), (401, 200));
}

#[test]
fn candles_begin_where_the_earliest_timestamp_says() {
    let earliest = |query: &str| local().json(&format!("/earliest_timestamp?{query}"));
    let apple = earliest("symbol=AAPL&interval=1day");
    assert_eq!((&apple["datetime"], &apple["unix_time"]), (&"1980-12-12".into(), &345_479_400.into()));
    assert_eq!(earliest("symbol=AAPL&interval=1min")["datetime"], "2020-02-10 09:30:00");
    assert_eq!(earliest("symbol=AAPL&interval=1min&timezone=UTC")["datetime"], "2020-02-10 14:30:00");
    assert_eq!(earliest("symbol=AAPL&interval=1month")["datetime"], "1980-12-01");
    assert_eq!(local().times("symbol=AAPL&interval=1day&end_date=1980-12-20").last().unwrap(), "1980-12-12");
}
