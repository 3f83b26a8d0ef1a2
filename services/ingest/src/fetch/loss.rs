//! Finds the candles that an earlier answer had and a new one lacks, and decides which of them stay.
//!
//! An answer with fewer candles does not retract the others: a complete candle stays until the source gives another value
//! for its time, or the owner removes it.

use std::collections::{BTreeMap, BTreeSet};

use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::raw_csv::SourceRow;
use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::fetch::candles::Rules;
use crate::fetch::kept_object::KeptObject;
use crate::fetch::overlap;
use crate::fetch::plan::Window;

/// The stored candles that an answer lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Candles that it lacks although they were requested.
    pub losses: Vec<Loss>,
    /// The rows that stay: those of the losses, marked with when they were fetched, and those that were not requested.
    rows: Vec<SourceRow>,
    /// Times of stored candles for which the answer has several contradictory ones.
    contradictory: BTreeSet<DateTime>,
}

/// Candles that the source gave in one answer and that it no longer gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// When the source last gave them. Identifies the loss.
    pub fetched_at: Timestamp,
    pub candles: usize,
    pub first: DateTime,
    pub last: DateTime,
}

/// Compares an answer about a window with the stored candles. Candles before `history` are no longer requested, so their
/// absence is not a loss.
pub fn find(kept: &KeptObject, answer: &[SourceRow], window: Window, history: Window, rules: &Rules) -> Missing {
    let given = Given::of(answer, rules);
    let rows = missing(kept, &given, window, history, rules);
    let stays: BTreeSet<_> = rows.iter().filter_map(overlap::time).collect();
    let contradictory = given.contradictory.intersection(&stays).copied().collect();
    let requested = Window { from: window.from.max(history.from), ..window };
    Missing { losses: losses(&rows, requested, rules), rows, contradictory }
}

impl Missing {
    /// Adds the rows that stay to the answer. Contradictory rows are left out, because together with the stored one cleaning
    /// would quarantine them all.
    pub fn with(self, answer: Vec<SourceRow>) -> Vec<SourceRow> {
        let Self { rows: kept, contradictory, .. } = self;
        let mut rows = answer;
        if !contradictory.is_empty() {
            rows.retain(|row| overlap::time(row).is_none_or(|time| !contradictory.contains(&time)));
        }
        if !kept.is_empty() {
            rows.extend(kept);
            rows.sort_by_key(|row| std::cmp::Reverse(overlap::time(row)));
        }
        rows
    }
}

/// Merges two answers to the same request: the second one, and the rows that only the first one has.
pub fn union(first: Vec<SourceRow>, second: Vec<SourceRow>) -> Vec<SourceRow> {
    let times: BTreeSet<_> = second.iter().filter_map(overlap::time).collect();
    let only_first = first.into_iter().filter(|row| overlap::time(row).is_some_and(|time| !times.contains(&time)));
    let mut rows = second;
    let before = rows.len();
    rows.extend(only_first);
    if rows.len() > before {
        rows.sort_by_key(|row| std::cmp::Reverse(overlap::time(row)));
    }
    rows
}

/// The times for which an answer has a candle, and those for which it has several contradictory ones.
#[derive(Default)]
struct Given {
    times: BTreeSet<DateTime>,
    contradictory: BTreeSet<DateTime>,
}

impl Given {
    fn of(answer: &[SourceRow], rules: &Rules) -> Self {
        let mut rows: BTreeMap<DateTime, Vec<&SourceRow>> = BTreeMap::new();
        for row in answer.iter().filter(|row| rules.is_candle(row)) {
            if let Some(time) = overlap::time(row) {
                rows.entry(time).or_default().push(row);
            }
        }
        let (times, contradictory): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, rows)| is_one_candle(rows));
        let times_of = |rows: Vec<(DateTime, _)>| rows.into_iter().map(|(time, _)| time).collect();
        Self { times: times_of(times), contradictory: times_of(contradictory) }
    }
}

/// Whether cleaning makes one candle of the rows of one time: they are equal, or one has the largest volume.
fn is_one_candle(rows: &[&SourceRow]) -> bool {
    let mut distinct: Vec<&SourceRow> = Vec::new();
    for row in rows {
        if !distinct.iter().any(|other| !overlap::differ(row, other)) {
            distinct.push(row);
        }
    }
    if distinct.len() == 1 {
        return true;
    }
    let volumes = distinct.iter().map(|row| row.volume.as_deref()?.parse::<Decimal>().ok());
    let Some(mut volumes) = volumes.collect::<Option<Vec<_>>>() else { return false };
    volumes.sort_unstable();
    volumes.len() > 1 && volumes[volumes.len() - 1] > volumes[volumes.len() - 2]
}

/// The stored rows that stay: those before the window unchanged, and candles inside it that the answer lacks.
fn missing(kept: &KeptObject, given: &Given, window: Window, history: Window, rules: &Rules) -> Vec<SourceRow> {
    let stays = |row: &SourceRow| {
        let time = overlap::time(row)?;
        if time < window.from && time >= history.from {
            return Some(row.clone());
        }
        let fetched_at = row.fetched_at.unwrap_or(kept.fetched_at);
        let is_lacking = !given.times.contains(&time) && is_stored(row, fetched_at, rules);
        is_lacking.then(|| SourceRow { fetched_at: Some(fetched_at), ..row.clone() })
    };
    kept.rows.iter().filter_map(stays).collect()
}

/// Whether a row, fetched at that time, can have become a candle in the table.
fn is_stored(row: &SourceRow, fetched_at: Timestamp, rules: &Rules) -> bool {
    rules.is_candle(row) && rules.stamp(row).is_some_and(|stamp| rules.is_complete(stamp, fetched_at))
}

/// The losses among the missing rows. Rows that were not requested, or have no slot in the calendar, are not losses.
fn losses(missing: &[SourceRow], window: Window, rules: &Rules) -> Vec<Loss> {
    let mut lost: BTreeMap<Timestamp, BTreeSet<DateTime>> = BTreeMap::new();
    for row in missing {
        let is_expected = rules.stamp(row).is_some_and(|stamp| rules.is_expected(stamp));
        if let (Some(time), Some(fetched_at), true) = (overlap::time(row), row.fetched_at, is_expected)
            && window.contains(time)
        {
            lost.entry(fetched_at).or_default().insert(time);
        }
    }
    let loss = |(fetched_at, times): (Timestamp, BTreeSet<DateTime>)| {
        let first = *times.first()?;
        let last = *times.last()?;
        Some(Loss { fetched_at, candles: times.len(), first, last })
    };
    lost.into_iter().filter_map(loss).collect()
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::metadata::Instrument;
    use candlewick_shared::core::watchlist::CleaningSettings;

    use super::*;

    const KEPT_AT: &str = "2024-12-27T22:00:00Z";

    fn row(day: &str, close: &str, volume: &str) -> SourceRow {
        let datetime = format!("2024-12-{day}");
        SourceRow { datetime, prices: [close; 4].map(str::to_owned), volume: Some(volume.to_owned()), fetched_at: None }
    }

    fn rows(days: &[&str]) -> Vec<SourceRow> {
        days.iter().rev().map(|day| row(day, "100", "1")).collect()
    }

    fn kept(rows: Vec<SourceRow>) -> KeptObject {
        KeptObject { rows, ..KeptObject::fetched(KEPT_AT.parse().unwrap()) }
    }

    fn rules() -> Rules {
        let instrument = Instrument { calendar: Some("XNYS".to_owned()), ..Instrument::default() };
        Rules::new("1day".parse().unwrap(), &instrument, &CleaningSettings::default())
    }

    fn window(from: &str) -> Window {
        Window::of_dates(from.parse().unwrap(), "2025-01-01".parse().unwrap())
    }

    struct Merged {
        rows: Vec<SourceRow>,
        losses: Vec<Loss>,
    }

    fn merge(kept: &KeptObject, answer: Vec<SourceRow>, window: Window, history: Window) -> Merged {
        let missing = find(kept, &answer, window, history, &rules());
        Merged { losses: missing.losses.clone(), rows: missing.with(answer) }
    }

    fn merged(kept_rows: Vec<SourceRow>, answer: Vec<SourceRow>, from: &str) -> Merged {
        merge(&kept(kept_rows), answer, window(from), window(from))
    }

    /// The days of the merged rows, newest first, with `*` after marked ones.
    fn days(merged: &Merged) -> String {
        let day =
            |row: &SourceRow| format!("{}{}", &row.datetime[8..], if row.fetched_at.is_some() { "*" } else { "" });
        merged.rows.iter().map(day).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_an_answer_lacks_stays_and_is_a_loss() {
        let all = merged(rows(&["24", "26", "27"]), rows(&["24", "26", "27", "30"]), "2024-12-01");
        assert_eq!((days(&all).as_str(), all.losses.len()), ("30 27 26 24", 0));
        let hole = merged(rows(&["24", "26", "27"]), rows(&["24", "27", "30"]), "2024-12-01");
        assert_eq!(days(&hole), "30 27 26* 24");
        let time = "2024-12-26".parse().unwrap();
        let loss = Loss { fetched_at: KEPT_AT.parse().unwrap(), candles: 1, first: time, last: time };
        assert_eq!(hole.losses, [loss]);
        let nothing = merged(rows(&["24", "26"]), vec![], "2024-12-01");
        assert_eq!((days(&nothing).as_str(), nothing.losses[0].candles), ("26* 24*", 2));
    }

    #[test]
    fn a_mark_stays_until_the_source_gives_the_candle_again() {
        let first = merged(rows(&["24", "26", "27"]), rows(&["27"]), "2024-12-01");
        let again = KeptObject { rows: first.rows, ..KeptObject::fetched("2024-12-30T22:00:00Z".parse().unwrap()) };
        let second = merge(&again, rows(&["26", "30"]), window("2024-12-01"), window("2024-12-01"));
        assert_eq!(days(&second), "30 27* 26 24*");
        let marks: Vec<_> = second.losses.iter().map(|loss| (loss.fetched_at.to_string(), loss.candles)).collect();
        assert_eq!(marks, [(KEPT_AT.to_owned(), 1), ("2024-12-30T22:00:00Z".to_owned(), 1)]);
    }

    #[test]
    fn what_the_window_has_left_behind_stays_and_is_no_loss() {
        let moved = merged(rows(&["23", "24", "26"]), rows(&["24", "26"]), "2024-12-24");
        assert_eq!((days(&moved).as_str(), moved.losses.len()), ("26 24 23*", 0));
    }

    #[test]
    fn only_the_end_of_a_month_was_asked_for() {
        let all = kept(rows(&["23", "24", "26"]));
        let merged = merge(&all, rows(&["26"]), window("2024-12-26"), window("2024-12-01"));
        assert_eq!((days(&merged).as_str(), merged.losses.len()), ("26 24 23", 0));
    }

    #[test]
    fn what_was_no_candle_of_the_store_is_not_kept() {
        let bad = vec![row("27", "", "1"), row("26", "0", "1"), row("24", "x", "1")];
        assert_eq!(merged(bad, rows(&["23"]), "2024-12-01").rows.len(), 1);
        // The session of the 27th was open in the afternoon; in the evening it was over.
        let afternoon =
            KeptObject { rows: rows(&["26", "27"]), ..KeptObject::fetched("2024-12-27T19:00:00Z".parse().unwrap()) };
        let merged = merge(&afternoon, rows(&["26"]), window("2024-12-01"), window("2024-12-01"));
        assert_eq!((days(&merged).as_str(), merged.losses.len()), ("26", 0));
    }

    #[test]
    fn what_the_calendar_has_no_slot_for_stays_without_a_word() {
        let saturday = merged(rows(&["27", "21"]), rows(&["27"]), "2024-12-01");
        assert_eq!((days(&saturday).as_str(), saturday.losses.len()), ("27 21*", 0));
    }

    #[test]
    fn a_row_that_is_no_candle_replaces_none() {
        for (price, volume) in [("", ""), ("0", "0"), ("x", "1"), ("100", "-7")] {
            let answer = vec![row("27", "101", "1"), row("26", price, volume)];
            let merged = merged(rows(&["26", "27"]), answer, "2024-12-01");
            assert_eq!((days(&merged).as_str(), merged.losses[0].candles), ("27 26 26*", 1), "{price:?}");
        }
    }

    #[test]
    fn an_answer_that_contradicts_itself_about_a_time_says_nothing_of_it() {
        let twice = |volume: &str| vec![row("27", "100", "1"), row("26", "90", "5"), row("26", "80", volume)];
        let contradiction = merged(rows(&["26", "27"]), twice("5"), "2024-12-01");
        assert_eq!((days(&contradiction).as_str(), contradiction.losses[0].candles), ("27 26*", 1));
        let partial = merged(rows(&["26", "27"]), twice("3"), "2024-12-01");
        assert_eq!((days(&partial).as_str(), partial.losses.len()), ("27 26 26", 0), "the larger volume is believed");
        let equal = vec![row("26", "90.0", "5"), row("26", "90", "5.0")];
        assert_eq!(merged(rows(&["26"]), equal, "2024-12-01").losses, []);
    }

    #[test]
    fn two_answers_complete_each_other() {
        let both = union(rows(&["24", "26"]), rows(&["26", "27"]));
        assert_eq!(both.iter().map(|row| &row.datetime[8..]).collect::<Vec<_>>(), ["27", "26", "24"]);
        assert_eq!(union(rows(&["24"]), vec![]).len(), 1);
    }
}
