//! The rules on calendars: slots of every interval, daylight saving, breaks, early closes, months and horizons.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::report::Fate;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::support::{Case, Outcome};

const HEADER: &str = "datetime,open,high,low,close,volume\n";

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

/// The slots of a calendar between two times.
fn slots(code: &str, interval: Interval, from: &str, through: &str) -> Vec<i64> {
    Calendar::for_mic(code).unwrap().unwrap().slots(interval, at(from)..=at(through)).unwrap().collect()
}

/// A row as the source writes it: local time for intraday candles, the date for others.
fn row(slot: i64, interval: Interval, zone: &TimeZone) -> String {
    let local = if interval.is_intraday() {
        zone.to_datetime(Timestamp::from_second(slot).unwrap()).strftime("%F %T").to_string()
    } else {
        CandleTime::from_seconds(slot).display(interval).to_string()
    };
    let close = 100 + slot / 60 % 50;
    format!("{local},100,200,50.5,{close},{}\n", slot % 1000)
}

fn text(slots: &[i64], interval: Interval, zone: &TimeZone) -> String {
    let rows: String = slots.iter().rev().map(|slot| row(*slot, interval, zone)).collect();
    format!("{HEADER}{rows}")
}

fn times(slots: &[i64], interval: Interval) -> Vec<String> {
    slots.iter().map(|slot| CandleTime::from_seconds(*slot).display(interval).to_string()).collect()
}

fn minutes(code: &str, zone: &str, rows: &str) -> Outcome {
    Case::new("1h").calendar(code).zone(zone).clean(format!("{HEADER}{rows}"))
}

#[test]
fn every_interval_of_every_market_is_filled_at_its_slots_and_only_there() {
    for (code, zone) in [
        ("XNYS", "America/New_York"),
        ("XLON", "Europe/London"),
        ("XTKS", "Asia/Tokyo"),
        ("XHKG", "Asia/Hong_Kong"),
        ("XASX", "Australia/Sydney"),
        ("24/7", "UTC"),
        ("24/5", "UTC"),
        ("forex", "UTC"),
    ] {
        let time_zone = TimeZone::get(zone).unwrap();
        for interval in Interval::ALL {
            let (from, through) = match interval {
                Interval::Week1 | Interval::Month1 => ("2023-01-01T00:00Z", "2024-06-30T00:00Z"),
                Interval::Min1 | Interval::Min5 => ("2024-03-08T00:00Z", "2024-03-13T00:00Z"),
                _ => ("2024-03-01T00:00Z", "2024-04-12T00:00Z"),
            };
            let slots = slots(code, interval, from, through);
            // Of every seven slots two are missing, the first and the last of all never.
            let is_missing = |place: usize| place % 7 >= 5 && place + 1 < slots.len();
            let (present, missing): (Vec<_>, Vec<_>) = (0..slots.len()).partition(|place| !is_missing(*place));
            let real: Vec<i64> = present.into_iter().map(|place| slots[place]).collect();
            let mut case = Case::new(interval.as_str()).calendar(code).zone(zone);
            case.now = Timestamp::from_second(slots.last().unwrap() + 40 * 86_400).unwrap();
            let outcome = case.clean(text(&real, interval, &time_zone));
            assert_eq!(outcome.times(), times(&slots, interval), "{code} {interval}");
            assert_eq!(outcome.report.rows.filled, missing.len() as u64, "{code} {interval}");
            assert!(outcome.quarantined().is_empty());
            assert_eq!(case.clone().zone("UTC").clean(&outcome.csv).csv, outcome.csv, "{code} {interval}");
        }
    }
}

#[test]
fn a_filled_candle_has_the_close_before_it_over_night_and_break_alike() {
    let outcome = minutes("XTKS", "Asia/Tokyo", "2024-11-05 10:00:00,1,3,1,2.5,9\n2024-11-05 13:30:00,1,3,1,2,9\n");
    let expected = [
        "2024-11-05T01:00:00Z,1,3,1,2.5,9,false",
        "2024-11-05T02:00:00Z,2.5,2.5,2.5,2.5,0,true",
        "2024-11-05T03:30:00Z,2.5,2.5,2.5,2.5,0,true",
        "2024-11-05T04:30:00Z,1,3,1,2,9,false",
    ];
    assert_eq!(outcome.rows(), expected);
}

#[test]
fn early_closes_and_clock_changes_are_no_gaps() {
    // The session of 2024-11-29 closes at 13:00, and clocks were changed on 2024-11-03 and 2024-03-10.
    for (last, first) in [
        ("2024-11-29 12:30:00", "2024-12-02 09:30:00"),
        ("2024-11-01 15:30:00", "2024-11-04 09:30:00"),
        ("2024-03-08 15:30:00", "2024-03-11 09:30:00"),
    ] {
        let outcome = minutes("XNYS", "America/New_York", &format!("{last},1,2,1,2,5\n{first},1,2,1,2,5\n"));
        let edge = outcome.report.gaps.iter().filter(|gap| gap.fate != Fate::Edge).count();
        assert_eq!((outcome.times().len(), edge), (2, 0), "{last}");
    }
}

#[test]
fn candles_of_no_slot_are_quarantined() {
    for (code, zone, time) in [
        ("XNYS", "America/New_York", "2024-11-29 13:30:00"),
        ("XNYS", "America/New_York", "2024-11-29 10:00:00"),
        ("XNYS", "America/New_York", "2024-11-28 10:30:00"),
        ("XNYS", "America/New_York", "2024-11-27 09:30:01"),
        ("XTKS", "Asia/Tokyo", "2024-11-05 11:30:00"),
        ("24/5", "UTC", "2024-12-01 23:00:00"),
    ] {
        let case = Case::new("1h").calendar(code).zone(zone);
        let reasons = case.nothing_usable(format!("{HEADER}{time},1,2,1,2,5\n"));
        assert_eq!(reasons, [("no_slot".to_owned(), 1)], "{code} {time}");
    }
    let daily = Case::new("1day").calendar("XNYS").nothing_usable(format!("{HEADER}2024-12-21,1,2,1,2,5\n"));
    assert_eq!(daily, [("no_session".to_owned(), 1)]);
}

#[test]
fn a_local_time_that_clocks_skipped_is_quarantined() {
    let rows = "2024-03-10 01:00:00,1,2,1,2,5\n2024-03-10 02:00:00,1,2,1,2,5\n";
    let outcome = minutes("24/7", "America/New_York", rows);
    assert_eq!(outcome.reasons(), [(3, "skipped_time".to_owned())]);
}

#[test]
fn a_slot_that_is_cut_short_by_the_close_is_complete_at_the_close() {
    let rows = "2024-11-29 11:30:00,1,2,1,2,5\n2024-11-29 12:30:00,1,2,1,2,5\n";
    let at = |now: &str| {
        let case = Case::new("1h").calendar("XNYS").zone("America/New_York").now(now);
        case.clean(format!("{HEADER}{rows}")).report.rows.provisional
    };
    assert_eq!((at("2024-11-29T17:59:59Z"), at("2024-11-29T18:00:00Z")), (1, 0));
}

#[test]
fn the_vacant_slots_at_the_edges_of_a_month_are_reported_and_stay_vacant() {
    let case = Case::new("4h").calendar("24/7").month(2024, 11);
    let outcome = case.clean(format!("{HEADER}2024-11-01 08:00:00,1,2,1,2,5\n2024-11-30 12:00:00,1,2,1,2,5\n"));
    let gaps = [
        ("2024-11-01T00:00:00Z", "2024-11-01T04:00:00Z", 2, Fate::Edge),
        ("2024-11-01T12:00:00Z", "2024-11-30T08:00:00Z", 174, Fate::TooLong),
        ("2024-11-30T16:00:00Z", "2024-11-30T20:00:00Z", 2, Fate::Edge),
    ];
    assert_eq!((outcome.gaps(), outcome.times().len()), (gaps.to_vec(), 2));
    let early = case.clone().now("2024-11-30T19:00:00Z").clean(format!("{HEADER}2024-11-30 12:00:00,1,2,1,2,5\n"));
    assert_eq!(early.gaps().last(), None.or(Some(&("2024-11-01T00:00:00Z", "2024-11-30T08:00:00Z", 177, Fate::Edge))));
    let open = case.now("2024-11-01T09:00:00Z").clean(format!("{HEADER}2024-11-01 08:00:00,1,2,1,2,5\n"));
    assert_eq!(open.gaps(), [("2024-11-01T00:00:00Z", "2024-11-01T04:00:00Z", 2, Fate::Edge)]);
}

#[test]
fn beyond_the_horizon_candles_are_kept_unchecked_and_gaps_stay() {
    let rows = "2027-11-17,1,2,1,2,5\n2027-11-19,1,2,1,2,5\n2027-11-27,1,2,1,2,5\n2027-12-01,1,2,1,2,5\n";
    let outcome = Case::new("1day").calendar("XNYS").now("2028-01-01T00:00:00Z").clean(format!("{HEADER}{rows}"));
    assert_eq!(outcome.times(), ["2027-11-17", "2027-11-18", "2027-11-19", "2027-11-27", "2027-12-01"]);
    let gaps = [("2027-11-18", "2027-11-18", 1, Fate::Filled), ("2027-11-22", "2027-11-22", 1, Fate::Horizon)];
    assert_eq!((outcome.gaps(), outcome.report.rows.unchecked), (gaps.to_vec(), 2));
    let words = outcome.report.calendar.horizon.unwrap();
    assert!(words.contains("covers 1990-01-01 to 2027-11-22 and says nothing of 2027-12-01"), "{words}");
}

#[test]
fn forex_trades_from_sunday_evening_to_friday_evening_and_nothing_is_filled_between() {
    let rows = "2024-01-05 20:00:00,1,2,1,2,5\n2024-01-05 21:00:00,1,2,1,2,5\n2024-01-07 22:00:00,1,2,1,2,5\n\
                2024-01-08 00:00:00,1,2,1,2,5\n";
    let outcome = minutes("forex", "UTC", rows);
    let expected = ["2024-01-05T20:00:00Z", "2024-01-05T21:00:00Z", "2024-01-07T22:00:00Z", "2024-01-07T23:00:00Z"];
    assert_eq!(outcome.times()[..4], expected);
    assert_eq!(outcome.report.rows.filled, 1);
    let early = minutes("forex", "UTC", "2022-03-06 14:00:00,1,2,1,2,5\n2022-03-06 22:00:00,1,2,1,2,5\n");
    assert_eq!(early.times(), ["2022-03-06T22:00:00Z"]);
    assert_eq!(early.quarantined().len(), 1);
}

#[test]
fn candles_of_a_holiday_are_kept_where_they_are_and_not_made_up_where_not() {
    let days = |rows: &str| Case::new("1day").calendar("forex").clean(format!("{HEADER}{rows}"));
    let eve = "2024-12-24,1,2,1,2,5\n";
    let christmas = "2024-12-25,1,2,1,1.5,5\n";
    let after = "2024-12-26,1,2,1,2,5\n";
    let with = days(&format!("{eve}{christmas}{after}"));
    assert_eq!((with.times().len(), with.report.rows.filled), (3, 0));
    let without = days(&format!("{eve}{after}"));
    assert_eq!(without.times(), ["2024-12-24", "2024-12-26"]);
    assert_eq!(without.report.rows.filled, 0);
    let saturday = Case::new("1day").calendar("XBOM");
    let india = saturday.clean(format!("{HEADER}2024-03-01,1,2,1,2,5\n2024-03-02,1,2,1,2,5\n2024-03-04,1,2,1,2,5\n"));
    assert_eq!((india.times().len(), india.report.rows.filled), (3, 0));
    let storm = Case::new("1day").calendar("XHKG");
    let rows = ["08-31", "09-04", "09-05", "09-06", "09-07", "09-11"].map(|day| format!("2023-{day},1,2,1,2,5\n"));
    let storm = storm.clean(format!("{HEADER}{}", rows.concat()));
    assert_eq!((storm.times().len(), storm.report.rows.filled), (6, 0));
}

#[test]
fn currencies_go_by_their_kind() {
    for (kind, code) in [("Digital Currency", "24/7"), ("Physical Currency", "forex")] {
        let mut case = Case::new("1day").symbol("BTC/USD");
        case.instrument.instrument_type = Some(kind.to_owned());
        let outcome = case.clean("date,open,high,low,close\n2024-12-06,1,2,1,2\n2024-12-09,1,2,1,1.5\n");
        assert_eq!(outcome.report.calendar.code.as_deref(), Some(code));
        let expected = if code == "24/7" { 4 } else { 2 };
        assert_eq!(outcome.times().len(), expected, "{kind}");
    }
}

#[test]
fn a_later_real_candle_replaces_a_filled_one() {
    let case = Case::new("1day").calendar("XNYS");
    let first = case.clean(format!("{HEADER}2024-12-19,1,2,1,2,5\n2024-12-23,1,2,1,2,5\n"));
    assert_eq!(first.rows()[1], "2024-12-20,2,2,2,2,0,true");
    let second = case.clean(format!("{}AAPL,1day,2024-12-20,1,2,1,1.5,7,true,false\n", first.csv));
    assert_eq!(second.rows()[1], "2024-12-20,1,2,1,1.5,7,false");
    assert_eq!((second.report.rows.refilled, second.report.rows.filled), (1, 0));
}
