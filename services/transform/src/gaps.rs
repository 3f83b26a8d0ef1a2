//! Vacant slots: which runs of them there are, and which are filled.

use std::ops::RangeInclusive;

use candlewick_shared::core::report::Fate;

use crate::expected::Expected;
use crate::row::Row;

/// A run of slots that follow each other and have no candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first slot, in seconds.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// How many there are.
    pub slots: u64,
    /// Whether they are filled, and if not, why.
    pub fate: Fate,
}

/// The runs of vacant slots around and between rows, which ascend in time.
///
/// `part` is what the object is a part of: the slots of a month that lie before its first row or behind its last one are
/// vacant too, where they are over; an object that is all of a series begins with its first row.
#[must_use]
pub fn find(rows: &[Row], expected: &Expected<'_>, part: Option<RangeInclusive<i64>>, max_fill: u32) -> Vec<Run> {
    let Some(window) = window(rows, expected, part) else { return Vec::new() };
    let mut search =
        Search { covered: expected.covered(), rows, at: 0, max_fill: max_fill.into(), open: None, runs: Vec::new() };
    for slot in expected.slots(*window.start(), *window.end()) {
        if search.is_vacant(slot) {
            let is_behind = search.at == rows.len();
            if is_behind && !expected.is_over(slot) {
                break;
            }
            search.extend(slot);
        } else {
            search.close();
        }
    }
    search.close();
    search.runs
}

/// The times to look at: from the first row, or the beginning of the part, to the end of the part, or to the moment when the
/// source was asked.
fn window(rows: &[Row], expected: &Expected<'_>, part: Option<RangeInclusive<i64>>) -> Option<RangeInclusive<i64>> {
    let times = rows.first().zip(rows.last()).map(|(first, last)| (first.time.seconds(), last.time.seconds()));
    let now = expected.now.as_second();
    match (times, part) {
        (Some((first, last)), Some(part)) => Some(first.min(*part.start())..=last.max(now.min(*part.end()))),
        (Some((first, last)), None) => Some(first..=last.max(now)),
        (None, Some(part)) => Some(*part.start()..=now.min(*part.end())),
        (None, None) => None,
    }
}

struct Search<'a> {
    covered: RangeInclusive<i64>,
    rows: &'a [Row],
    /// The first row that is not before the slot at hand.
    at: usize,
    max_fill: u64,
    /// The run that the slot before this one belongs to.
    open: Option<Run>,
    runs: Vec<Run>,
}

impl Search<'_> {
    fn is_vacant(&mut self, slot: i64) -> bool {
        while self.rows.get(self.at).is_some_and(|row| row.time.seconds() < slot) {
            self.at += 1;
        }
        self.rows.get(self.at).is_none_or(|row| row.time.seconds() != slot)
    }

    fn extend(&mut self, slot: i64) {
        let fate = Fate::TooLong;
        let run = self.open.get_or_insert(Run { first: slot, last: slot, slots: 0, fate });
        run.last = slot;
        run.slots += 1;
    }

    fn close(&mut self) {
        if let Some(run) = self.open.take() {
            let fate = self.fate(&run);
            self.runs.push(Run { fate, ..run });
        }
    }

    fn fate(&self, run: &Run) -> Fate {
        let behind = self.rows.partition_point(|row| row.time.seconds() < run.first);
        let before = behind.checked_sub(1).and_then(|before| self.rows.get(before));
        match (before, self.rows.get(behind)) {
            (Some(before), Some(next)) if self.is_covered(before) && self.is_covered(next) => match run.slots {
                slots if slots <= self.max_fill => Fate::Filled,
                _ => Fate::TooLong,
            },
            (Some(_), Some(_)) => Fate::Horizon,
            _ => Fate::Edge,
        }
    }

    fn is_covered(&self, row: &Row) -> bool {
        self.covered.contains(&row.time.seconds())
    }
}
