//! Real days of AAPL, damaged on purpose: what comes out is computed from the undamaged file.

use candlewick_shared::core::report::Fate;
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::support::{Case, Outcome};

const FILE: &str = include_str!("../../../../localstack/simulator/data/aapl_daily_2019_2024.csv");
const HEADER: &str = "date,open,high,low,close,volume,adj_close\n";

/// A session of the real file, as the file has it.
type Row = &'static str;

fn rows() -> Vec<Row> {
    FILE.lines().skip(1).collect()
}

fn case() -> Case {
    Case::new("1day").calendar("XNGS").now("2024-12-30T22:00:00Z")
}

fn cleaned(rows: &[impl AsRef<str>]) -> Outcome {
    let text: String = rows.iter().map(|row| format!("{}\n", row.as_ref())).collect();
    case().clean(format!("{HEADER}{text}"))
}

fn date(row: Row) -> &'static str {
    &row[..10]
}

/// A row as clean CSV has it: without needless zeros and the adjusted close.
fn kept(row: Row) -> String {
    let cells: Vec<&str> = row.split(',').take(6).map(shortest).collect();
    format!("{},false", cells.join(","))
}

fn shortest(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// The row of a vacant session behind a real one.
fn filled(date: &str, before: Row) -> String {
    let close = shortest(before.split(',').nth(4).unwrap());
    format!("{date},{close},{close},{close},{close},0,true")
}

fn all_kept(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| kept(row)).collect()
}

/// Compares rows, and shows the first that differs rather than thousands.
fn check(outcome: &Outcome, expected: &[String]) {
    let rows = outcome.rows();
    let differing = rows.iter().zip(expected).find(|(row, expected)| row != expected);
    assert_eq!(differing, None, "what is there, and what should be");
    assert_eq!(rows.len(), expected.len());
}

/// The place of a date's row.
fn at(rows: &[Row], wanted: &str) -> usize {
    rows.iter().position(|row| date(row) == wanted).unwrap()
}

/// What must come of the file without the rows at some places: those between that follow each other no more than three at a
/// time are filled.
fn expected(rows: &[Row], missing: &[usize]) -> Vec<String> {
    let (first, last) = present_ends(rows, missing);
    let mut out = Vec::new();
    for (place, row) in rows.iter().enumerate().take(last + 1).skip(first) {
        if !missing.contains(&place) {
            out.push(kept(row));
            continue;
        }
        let before = (0..place).rev().find(|place| !missing.contains(place)).unwrap();
        let after = (place..).find(|place| !missing.contains(place)).unwrap();
        if after - before - 1 <= 3 {
            out.push(filled(date(row), rows[before]));
        }
    }
    out
}

fn present_ends(rows: &[Row], missing: &[usize]) -> (usize, usize) {
    let mut present = (0..rows.len()).filter(|place| !missing.contains(place));
    (present.next().unwrap(), present.next_back().unwrap())
}

fn without(rows: &[Row], missing: &[usize]) -> Vec<Row> {
    rows.iter().enumerate().filter(|(place, _)| !missing.contains(place)).map(|(_, row)| *row).collect()
}

#[test]
fn the_undamaged_file_comes_through_whole() {
    let rows = rows();
    let outcome = cleaned(&rows);
    check(&outcome, &all_kept(&rows));
    assert_eq!(outcome.gaps(), []);
    assert_eq!(outcome.report.ignored_columns, ["adj_close"]);
    let calendar = &outcome.report.calendar;
    assert_eq!((calendar.code.as_deref(), calendar.reason.as_str()), (Some("XNYS"), "the settings name it: XNGS"));
}

#[test]
fn as_many_vacant_sessions_as_are_allowed_are_filled_and_one_more_is_not() {
    let rows = rows();
    for count in 1..=5 {
        for from in ["2024-11-27", "2024-11-29", "2024-12-16", "2023-12-22", "2021-06-18", "2024-02-29"] {
            let from = at(&rows, from);
            let missing: Vec<usize> = (from..from + count).collect();
            let outcome = cleaned(&without(&rows, &missing));
            check(&outcome, &expected(&rows, &missing));
            let fate = if count <= 3 { Fate::Filled } else { Fate::TooLong };
            let first = date(rows[from]);
            let last = date(rows[from + count - 1]);
            assert_eq!(outcome.gaps(), [(first, last, count as u64, fate)]);
        }
    }
}

#[test]
fn the_first_and_the_last_session_are_never_filled() {
    let rows = rows();
    let last = rows.len() - 1;
    let outcome = cleaned(&without(&rows, &[0, last]));
    check(&outcome, &expected(&rows, &[0, last]));
    assert_eq!(outcome.gaps(), [("2024-12-30", "2024-12-30", 1, Fate::Edge)]);
}

#[test]
fn a_gap_with_a_row_that_was_quarantined_is_not_filled() {
    let rows = rows();
    let place = at(&rows, "2024-11-29");
    let mut damaged: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
    damaged[place] = "2024-11-29,2,1,3,2,5,1".to_owned();
    damaged.remove(place - 1);
    let outcome = cleaned(&damaged);
    check(&outcome, &all_kept(&without(&rows, &[place - 1, place])));
    assert_eq!(outcome.reasons(), [(place as u64 + 1, "high_below_low".to_owned())]);
    assert_eq!(outcome.gaps(), [("2024-11-27", "2024-11-29", 2, Fate::Quarantined)]);
}

#[test]
fn candles_of_no_session_are_quarantined() {
    let mut damaged: Vec<String> = rows().iter().map(|row| (*row).to_owned()).collect();
    let end = damaged.len() as u64 + 1;
    for day in ["2024-12-28", "2024-11-28", "2024-07-04", "2018-12-05"] {
        damaged.push(format!("{day},1,2,1,2,5,1"));
    }
    for day in ["2024-12-31", "2025-01-02"] {
        damaged.push(format!("{day},1,2,1,2,5,1"));
    }
    let outcome = cleaned(&damaged);
    check(&outcome, &expected(&rows(), &[]));
    let reasons = ["no_session", "no_session", "no_session", "no_session", "future", "future"];
    let expected: Vec<_> = (end + 1..).zip(reasons.map(str::to_owned)).collect();
    assert_eq!(outcome.reasons(), expected);
}

#[test]
fn a_session_that_is_still_open_is_left_out_and_counted() {
    let text = format!("{HEADER}{}\n{}\n", "2024-12-23,1,2,1,2,5,1\n2024-12-24,1,2,1,2,5,1", "2024-12-26,1,2,1,2,5,1");
    let at = |now: &str| {
        let outcome = case().now(now).clean(&text);
        (outcome.times().len(), outcome.report.rows.provisional, outcome.report.rows.quarantined_total())
    };
    assert_eq!(at("2024-12-24T17:59:59Z"), (1, 1, 1));
    assert_eq!(at("2024-12-24T18:00:00Z"), (2, 0, 1));
    assert_eq!(at("2024-12-26T14:29:59Z"), (2, 0, 1));
    assert_eq!(at("2024-12-26T14:30:00Z"), (2, 1, 0));
    assert_eq!(at("2024-12-26T21:00:00Z"), (3, 0, 0));
}

#[test]
fn duplicates_of_every_kind_are_settled() {
    let rows = rows();
    let mut damaged: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
    let twice = at(&rows, "2024-03-01");
    damaged.push(rows[twice].replace(',', ", "));
    let partial = at(&rows, "2024-03-08");
    let close = rows[partial].split(',').nth(4).unwrap();
    damaged.push(format!("{},{close},{close},{close},{close},17,1", date(rows[partial])));
    let conflict = at(&rows, "2024-03-15");
    let volume = rows[conflict].split(',').nth(5).unwrap();
    damaged.push(format!("{},1,2,1,2,{volume},1", date(rows[conflict])));
    let outcome = cleaned(&damaged);
    check(&outcome, &all_kept(&without(&rows, &[conflict])));
    assert_eq!(outcome.report.rows.collapsed, 1);
    let line = |place: usize| place as u64 + 2;
    let lesser = "lesser_duplicate".to_owned();
    let both = "conflicting_duplicate".to_owned();
    let end = line(rows.len());
    assert_eq!(outcome.reasons(), [(line(conflict), both.clone()), (end + 1, lesser), (end + 2, both)]);
}

#[test]
fn the_calendar_of_the_source_is_used_where_the_owner_says_none() {
    let mut case = case();
    case.settings.calendar = None;
    case.instrument.calendar = Some("XNGS".to_owned());
    let outcome = case.clean(FILE);
    assert_eq!(outcome.csv, cleaned(&rows()).csv);
    assert_eq!(outcome.report.calendar.reason, "the source names it: XNGS");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_missing_in_whatever_order_what_comes_out_follows_from_the_whole_file(
        missing in subsequence((0..250_usize).collect::<Vec<_>>(), 0..200), order in any::<prop::sample::Index>(),
        newest_first: bool, line_break in "\r?\n",
    ) {
        let rows: Vec<Row> = rows().into_iter().rev().take(250).rev().collect();
        let mut damaged = without(&rows, &missing);
        if newest_first {
            damaged.reverse();
        } else {
            let middle = order.index(damaged.len());
            damaged.rotate_left(middle);
        }
        let text = format!("{HEADER}{}", damaged.join("\n")).replace('\n', &line_break);
        let outcome = case().clean(text);
        check(&outcome, &expected(&rows, &missing));
        prop_assert_eq!(case().clean(&outcome.csv).csv, outcome.csv);
    }
}
