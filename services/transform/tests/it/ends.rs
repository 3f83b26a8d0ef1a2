//! Files whose candles are stamped with their end.

use candlewick_shared::core::form::Stamped;
use candlewick_transform::refusal::Refusal;

use crate::support::Case;

fn file(times: &[&str]) -> String {
    let rows: String = times.iter().map(|time| format!("{time},10,12,9,11,5\n")).collect();
    format!("datetime,open,high,low,close,volume\n{rows}")
}

/// Two sessions of New York, from the close of the first hour to the close of the last half hour.
const HOURS: [&str; 14] = [
    "2024-01-02 10:30:00",
    "2024-01-02 11:30:00",
    "2024-01-02 12:30:00",
    "2024-01-02 13:30:00",
    "2024-01-02 14:30:00",
    "2024-01-02 15:30:00",
    "2024-01-02 16:00:00",
    "2024-01-03 10:30:00",
    "2024-01-03 11:30:00",
    "2024-01-03 12:30:00",
    "2024-01-03 13:30:00",
    "2024-01-03 14:30:00",
    "2024-01-03 15:30:00",
    "2024-01-03 16:00:00",
];

fn new_york(interval: &str) -> Case {
    Case::new(interval).calendar("XNYS").zone("America/New_York")
}

fn stamped(stamped: Stamped, case: Case) -> Case {
    let mut case = case;
    case.settings.form.stamped = Some(stamped);
    case
}

#[test]
fn candles_that_are_stamped_with_their_end_are_refused_with_the_option_that_says_so() {
    for times in [&HOURS[..7], &HOURS[..]] {
        let refusal = new_york("1h").try_clean(file(times)).unwrap_err();
        assert!(matches!(refusal, Refusal::StampedAtEnd { .. }) && refusal.class() == "ambiguous_object", "{refusal}");
        let text = refusal.to_string();
        assert!(text.contains("2024-01-02T15:30:00Z and the last one with 2024-01-02T21:00:00Z"), "{text}");
        assert!(text.contains("--stamped end") && text.contains("--stamped start"), "{text}");
    }
    let by_the_clock = ["10", "11", "12", "13", "14", "15", "16"].map(|hour| format!("2024-01-02 {hour}:00:00"));
    let by_the_clock: Vec<&str> = by_the_clock.iter().map(String::as_str).collect();
    assert!(matches!(new_york("1h").try_clean(file(&by_the_clock)), Err(Refusal::StampedAtEnd { .. })));
}

#[test]
fn said_to_be_stamped_with_their_end_they_begin_an_interval_earlier_or_with_their_slot() {
    let outcome = stamped(Stamped::End, new_york("1h")).clean(file(&HOURS));
    let first: Vec<_> = outcome.times().into_iter().take(7).collect();
    let expected = ["14:30", "15:30", "16:30", "17:30", "18:30", "19:30", "20:30"];
    assert_eq!(first, expected.map(|time| format!("2024-01-02T{time}:00Z")));
    assert_eq!(outcome.report.stamps.as_deref(), Some("the end of each candle"));
    assert_eq!((outcome.report.rows.quarantined_total(), outcome.report.rows.filled), (0, 0));
    // The candle that the clocks' change ends begins before it.
    let forward = stamped(Stamped::End, Case::new("1h").zone("America/New_York"));
    let times = forward.clean(file(&["2024-03-10 01:00:00", "2024-03-10 03:00:00"])).times();
    assert_eq!(times, ["2024-03-10T05:00:00Z", "2024-03-10T06:00:00Z"]);
}

#[test]
fn a_candle_of_the_close_after_one_of_the_open_proves_nothing() {
    let mut times = HOURS.to_vec();
    times.insert(0, "2024-01-02 09:30:00");
    let outcome = new_york("1h").clean(file(&times));
    assert_eq!(outcome.report.rows.quarantined.get("no_slot"), Some(&2));
    let few = ["2024-01-02 10:30:00", "2024-01-02 16:00:00"];
    assert!(new_york("1h").try_clean(file(&few)).is_ok());
    assert!(stamped(Stamped::Start, new_york("1h")).try_clean(file(&HOURS)).is_ok());
    let answer = Case { is_by_hand: false, ..new_york("1h") };
    assert!(answer.try_clean(file(&HOURS)).is_ok());
}

#[test]
fn forex_weeks_show_their_ends_only_where_the_market_closes() {
    let week = |first: i64, last: i64| -> Vec<String> {
        let sunday: jiff::civil::DateTime = "2024-01-07T17:00:00".parse().unwrap();
        (first..=last)
            .map(|hour| (sunday + jiff::SignedDuration::from_hours(hour)).strftime("%Y-%m-%d %H:%M:%S").to_string())
            .collect()
    };
    let clean = |times: &[String]| {
        let times: Vec<&str> = times.iter().map(String::as_str).collect();
        Case::new("1h").symbol("EUR/USD").calendar("forex").zone("America/New_York").try_clean(file(&times))
    };
    assert!(clean(&week(0, 119)).is_ok());
    assert!(matches!(clean(&week(1, 120)), Err(Refusal::StampedAtEnd { .. })));
}
