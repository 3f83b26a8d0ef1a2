//! Finds runs of vacant slots and decides which of them are filled.

use std::ops::RangeInclusive;

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::report::Fate;

use crate::expected::Expected;
use crate::fault::QuarantinedRow;
use crate::row::Row;

/// Consecutive slots without a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VacantSlots {
    /// The time of the first slot, in seconds.
    pub first: i64,
    /// The time of the last slot, in seconds.
    pub last: i64,
    /// The number of slots.
    pub slots: u64,
    /// Whether the slots are filled, and if not, why.
    pub fate: Fate,
}

/// Finds the runs of vacant slots between rows, which are in ascending order of time, and around them.
///
/// `part` is the month that the object covers: slots of that month before the first row or after the last row are
/// vacant as well, once they are over. An object with all of a series begins with its first row.
///
/// `spoken_of` are the slots of quarantined rows, from [`spoken_of`]. `filled` are the candles that an earlier
/// cleaning filled, in ascending order, if there was one: slots that it left vacant stay vacant.
pub fn find(
    rows: &[Row],
    expected: &Expected<'_>,
    part: Option<RangeInclusive<i64>>,
    max_fill: u32,
    spoken_of: &[RangeInclusive<i64>],
    filled: Option<&[Row]>,
) -> Vec<VacantSlots> {
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

/// The range of times to search: from the first row or the start of the part, to the end of the part or the time at
/// which the source was asked.
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

/// The slots of quarantined rows, in ascending order: each as the range of times at which a slot that contains the
/// row may begin.
pub fn spoken_of(quarantined: &[QuarantinedRow], interval: Interval) -> Vec<RangeInclusive<i64>> {
    let length = interval.seconds().unwrap_or(1);
    let mut times: Vec<i64> = quarantined.iter().filter_map(|row| row.time).map(CandleTime::seconds).collect();
    times.sort_unstable();
    times.into_iter().map(|time| time - length + 1..=time).collect()
}

struct Search<'a> {
    covered: RangeInclusive<i64>,
    rows: &'a [Row],
    /// The index of the first row that is not before the current slot.
    at: usize,
    max_fill: u64,
    spoken_of: &'a [RangeInclusive<i64>],
    filled: Option<&'a [Row]>,
    /// The run that the previous slot belongs to.
    open: Option<VacantSlots>,
    runs: Vec<VacantSlots>,
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
        let run = self.open.get_or_insert(VacantSlots { first: slot, last: slot, slots: 0, fate });
        run.last = slot;
        run.slots += 1;
    }

    fn close(&mut self) {
        if let Some(run) = self.open.take() {
            let fate = self.fate(&run);
            self.runs.push(VacantSlots { fate, ..run });
        }
    }

    fn fate(&self, run: &VacantSlots) -> Fate {
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

    fn is_spoken_of(&self, run: &VacantSlots) -> bool {
        let first = self.spoken_of.partition_point(|times| *times.end() < run.first);
        self.spoken_of.get(first).is_some_and(|times| *times.start() <= run.last)
    }

    fn was_left_vacant(&self, run: &VacantSlots) -> bool {
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
