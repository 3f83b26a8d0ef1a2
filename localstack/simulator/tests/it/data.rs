//! The candles that `/time_series` serves.

use candlewick_simulator::market::splits::{Rewrites, Split};

use crate::support::local;

#[test]
fn recorded_candles_are_served_as_they_stand_in_the_file() {
    let file = include_str!("../../data/aapl_daily_2019_2024.csv");
    let served = local().csv(
        "/time_series?symbol=AAPL&interval=1day&start_date=2019-01-01&end_date=2024-12-31&order=asc&format=CSV&delimiter=,",
    );
    let without_adjusted_close = file.lines().map(|line| line.rsplit_once(',').unwrap().0);
    let expected: Vec<_> = without_adjusted_close.skip(1).collect();
    assert_eq!(served.lines().skip(1).collect::<Vec<_>>(), expected);
}

#[test]
fn five_years_of_days_fit_into_one_request() {
    let days = local().times("symbol=MSFT&interval=1day&start_date=2021-11-22&end_date=2026-11-21");
    assert_eq!(days.len() + 2, 1255, "the two sessions after {} are still to come", days[0]);
}

#[test]
fn the_candle_of_a_session_that_is_open_is_shown_as_far_as_it_has_come() {
    let noon = local();
    let later = local().at("2026-11-18T18:00:00Z");
    let query = "symbol=MSFT&interval=1day&outputsize=1";
    assert_eq!(noon.times(query), ["2026-11-18"]);
    let volume = |of: &crate::support::Local| of.column(query, "volume")[0].parse::<u64>().unwrap();
    assert!(volume(&noon) < volume(&later));
    assert_eq!(noon.column(query, "open"), later.column(query, "open"));
    assert_ne!(noon.column(query, "close"), later.column(query, "close"));
}

#[test]
fn nothing_is_shown_before_its_session_or_slot_begins() {
    let query = "symbol=MSFT&interval=1day&outputsize=1";
    assert_eq!(local().at("2026-11-18T14:29:59Z").times(query), ["2026-11-17"]);
    assert_eq!(local().at("2026-11-18T14:30:00Z").times(query), ["2026-11-18"]);
    let query = "symbol=MSFT&interval=15min&outputsize=2&timezone=UTC";
    assert_eq!(local().at("2026-11-18T17:14:59Z").times(query), ["2026-11-18 17:00:00", "2026-11-18 16:45:00"]);
}

#[test]
fn a_window_without_a_session_is_an_error() {
    for window in
        ["start_date=2026-11-19", "date=2024-06-01", "end_date=1980-01-01", "start_date=2024-06-03&end_date=2024-06-03"]
    {
        let error = local().error(&format!("/time_series?symbol=AAPL&interval=1day&{window}"));
        let words = "No data is available on the specified dates. Try setting different start/end dates.";
        assert_eq!(error, (400, words.into()), "{window}");
    }
}

#[test]
fn intraday_slots_follow_the_session() {
    let slots = local().times("symbol=AAPL&interval=1h&date=2024-06-03&order=asc");
    let starts = ["09:30", "10:30", "11:30", "12:30", "13:30", "14:30", "15:30"];
    assert_eq!(slots, starts.map(|start| format!("2024-06-03 {start}:00")));
    assert_eq!(local().times("symbol=AAPL&interval=1min&date=2024-06-03").len(), 390);
    assert_eq!(local().times("symbol=AAPL&interval=1min&date=2024-07-03").len(), 210, "an early close");
}

#[test]
fn currencies_trade_on_weekdays_and_digital_ones_every_day() {
    let week = "interval=1day&start_date=2026-11-09&end_date=2026-11-16";
    assert_eq!(local().times(&format!("symbol=EUR/USD&{week}")).len(), 5);
    assert_eq!(local().times(&format!("symbol=BTC/USD&{week}")).len(), 7);
    assert_eq!(local().times("symbol=BTC/USD&interval=8h&date=2026-11-14&order=asc")[2], "2026-11-14 16:00:00");
}

#[test]
fn forex_opens_on_sunday_evening_and_has_steps_from_five_in_the_afternoon_in_new_york() {
    let hours = |window: &str| local().times(&format!("symbol=EUR/USD&interval=1h&order=asc&{window}"));
    let weekend = hours("start_date=2024-01-05T20:00:00&end_date=2024-01-07T23:00:00");
    let expected = ["2024-01-05 20:00:00", "2024-01-05 21:00:00", "2024-01-07 22:00:00", "2024-01-07 23:00:00"];
    assert_eq!(weekend, expected);
    assert_eq!(hours("date=2024-07-07"), ["2024-07-07 21:00:00", "2024-07-07 22:00:00", "2024-07-07 23:00:00"]);
    let eights = local().times("symbol=GBP/USD&interval=8h&date=2022-03-07&order=asc");
    assert_eq!(eights, ["2022-03-07 06:00:00", "2022-03-07 14:00:00", "2022-03-07 22:00:00"]);
}

#[test]
fn only_what_is_traded_has_a_volume() {
    for (symbol, has_volume) in [("MSFT", true), ("SPY", true), ("SPX", false), ("EUR/USD", false), ("BTC/USD", false)]
    {
        let answer = local().json(&format!("/time_series?symbol={symbol}&interval=1day&outputsize=1"));
        assert_eq!(answer["values"][0].get("volume").is_some(), has_volume, "{symbol}");
        let csv = local().csv(&format!("/time_series?symbol={symbol}&interval=1day&outputsize=1&format=CSV"));
        assert_eq!(csv.lines().next().unwrap().ends_with(";volume"), has_volume, "{symbol}");
    }
}

#[test]
fn a_split_rescales_daily_history_once_it_has_happened() {
    let closes = |local: &crate::support::Local| local.column("symbol=MSFT&interval=1day&end_date=2026-11-17", "close");
    let local = local();
    let before = closes(&local);
    let split =
        Split { symbol: "MSFT".into(), date: "2026-11-19".parse().unwrap(), ratio: 0.25, rewrites: Rewrites::Daily };
    local.simulator.state().splits.push(split);
    assert_eq!(closes(&local), before, "the split is still to come");
    let after = closes(&local.at("2026-11-19T15:00:00Z"));
    for (old, new) in before.iter().zip(&after) {
        let ratio = new.parse::<f64>().unwrap() / old.parse::<f64>().unwrap();
        assert!((ratio - 0.25).abs() < 1e-6, "{old} {new}");
    }
}
