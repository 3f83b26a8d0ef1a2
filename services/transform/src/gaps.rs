//! Vacant slots: which runs of them there are, and which are filled.

use std::ops::RangeInclusive;

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::report::Fate;

use crate::expected::Expected;
use crate::fault::SetAside;
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
///
/// `spoken_of` are the times of which the source said something that was quarantined, as [`spoken_of`] gives them. `filled` are the
/// candles that an earlier cleaning put in, ascending, where there was one: what it left vacant stays so.
pub fn find(
    rows: &[Row],
    expected: &Expected<'_>,
    part: Option<RangeInclusive<i64>>,
    max_fill: u32,
    spoken_of: &[RangeInclusive<i64>],
    filled: Option<&[Row]>,
) -> Vec<Run> {
    let Some(window) = window(rows, expected, part) else { return Vec::new() };
    let covered = expected.covered();
    let max_fill = max_fill.into();
    let mut search = Search { covered, rows, at: 0, max_fill, spoken_of, filled, open: None, runs: Vec::new() };
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

/// The slots of which the source said something that was quarantined, by the times of the rows: the slots that hold them,
/// ascending.
pub fn spoken_of(aside: &[SetAside], interval: Interval) -> Vec<RangeInclusive<i64>> {
    let length = interval.seconds().unwrap_or(1);
    let mut times: Vec<i64> = aside.iter().filter_map(|row| row.time).map(CandleTime::seconds).collect();
    times.sort_unstable();
    times.into_iter().map(|time| time - length + 1..=time).collect()
}

struct Search<'a> {
    covered: RangeInclusive<i64>,
    rows: &'a [Row],
    /// The first row that is not before the slot at hand.
    at: usize,
    max_fill: u64,
    spoken_of: &'a [RangeInclusive<i64>],
    filled: Option<&'a [Row]>,
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
                slots if slots > self.max_fill => Fate::TooLong,
                _ if self.is_spoken_of(run) => Fate::Quarantined,
                _ if self.was_left_vacant(run) => Fate::LeftVacant,
                _ => Fate::Filled,
            },
            (Some(_), Some(_)) => Fate::Horizon,
            _ => Fate::Edge,
        }
    }

    fn is_spoken_of(&self, run: &Run) -> bool {
        let first = self.spoken_of.partition_point(|times| *times.end() < run.first);
        self.spoken_of.get(first).is_some_and(|times| *times.start() <= run.last)
    }

    fn was_left_vacant(&self, run: &Run) -> bool {
        let is_before = |time: i64| move |row: &Row| row.time.seconds() < time;
        let count = |filled: &[Row]| filled.chunk_by(|one, other| one.time == other.time).count() as u64;
        self.filled.is_some_and(|filled| {
            let from = filled.partition_point(is_before(run.first));
            let to = filled.partition_point(is_before(run.last + 1));
            count(&filled[from..to]) < run.slots
        })
    }

    fn is_covered(&self, row: &Row) -> bool {
        self.covered.contains(&row.time.seconds())
    }
}
