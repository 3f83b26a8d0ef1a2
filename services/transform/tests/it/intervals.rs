//! Files whose rows are candles of another interval than their key says.

use candlewick_transform::refusal::Refusal;

use crate::support::Case;

/// A file of rows at given times.
fn file(times: &[String]) -> String {
    let rows: String = times.iter().enumerate().map(|(at, time)| format!("{time},10,12,9,11,{}\n", at + 1)).collect();
    format!("datetime,open,high,low,close,volume\n{rows}")
}

fn case(interval: &str, calendar: &str) -> Case {
    Case::new(interval).calendar(calendar)
}

/// Times of a day, a number of minutes apart.
fn minutes_apart(minutes: i64, count: i64) -> Vec<String> {
    let time = |at: i64| format!("2024-01-03 {:02}:{:02}:00", at * minutes / 60, at * minutes % 60);
    (0..count).map(time).collect()
}

fn dates(dates: &[&str]) -> Vec<String> {
    dates.iter().map(|date| (*date).to_owned()).collect()
}

fn longer(case: &Case, times: &[String]) -> Option<String> {
    match case.try_clean(file(times)) {
        Err(Refusal::LongerInterval { found, .. }) => Some(found.to_string()),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

#[test]
fn rows_of_a_longer_interval_are_refused_with_its_name() {
    assert_eq!(longer(&case("5min", "24/7"), &minutes_apart(15, 40)).as_deref(), Some("15min"));
    assert_eq!(longer(&case("1min", "24/7"), &minutes_apart(60, 7)).as_deref(), Some("1h"));
    let days: Vec<String> = (1..=9).map(|day| format!("2024-01-0{day} 00:00:00")).collect();
    assert_eq!(longer(&case("1h", "24/7"), &days).as_deref(), Some("1day"));
    let weeks = ["2024-01-02", "2024-01-08", "2024-01-16", "2024-01-22", "2024-01-29", "2024-02-05"];
    assert_eq!(longer(&case("1day", "XNYS"), &dates(&weeks)).as_deref(), Some("1week"));
    let months = ["2024-01-02", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01", "2024-06-03"];
    assert_eq!(longer(&case("1day", "none"), &dates(&months)).as_deref(), Some("1month"));
}

#[test]
fn rows_of_a_shorter_interval_are_known_by_those_that_are_left_in_the_end() {
    // Next to the two rows that contradict each other, one row within the length of another is less than half of all rows.
    let text = "datetime,open,high,low,close\n2024-01-03 09:30:00,1,2,1,2\n2024-01-03 09:40:00,1,2,1,2\n\
                2024-01-04 09:30:00,1,2,1,2\n2024-01-04 09:30:00,1,3,1,2\n";
    let expected = [("conflicting_duplicate".to_owned(), 2), ("other_interval".to_owned(), 2)];
    assert_eq!(case("45min", "none").nothing_usable(text), expected);
}

#[test]
fn rows_that_are_far_apart_without_a_rule_are_candles() {
    let seldom: Vec<String> = [0, 7, 10, 31, 36, 44, 58].map(|minute| format!("2024-01-03 10:{minute:02}:00")).to_vec();
    assert_eq!(longer(&case("1min", "24/7"), &seldom), None);
    let mut dense = minutes_apart(15, 40);
    dense.insert(1, "2024-01-03 00:05:00".to_owned());
    assert_eq!(longer(&case("5min", "24/7"), &dense), None);
    assert_eq!(longer(&case("5min", "24/7"), &minutes_apart(15, 5)), None);
}

#[test]
fn a_session_of_one_candle_is_no_longer_interval() {
    let days = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10"];
    let openings: Vec<_> = days.iter().map(|day| format!("{day} 14:30:00")).collect();
    assert_eq!(longer(&case("8h", "XNYS"), &openings), None);
    assert_eq!(longer(&case("8h", "none"), &openings), None);
}

#[test]
fn an_answer_of_the_source_keeps_its_interval_however_seldom_it_trades() {
    let weekly = ["2024-01-02", "2024-01-08", "2024-01-16", "2024-01-22", "2024-01-29", "2024-02-05"];
    let answer = Case { is_by_hand: false, ..case("1day", "XNYS") };
    assert_eq!(longer(&answer, &dates(&weekly)), None);
}
