//! Detects files with a longer interval than their key: quarter hours under a key of five minutes, weeks under a key
//! of days.
//!
//! Each such row alone is a possible candle of the shorter interval. Only the distances between rows reveal it.

use candlewick_shared::core::interval::Interval;

use crate::expected::Expected;
use crate::refusal::Refusal;
use crate::row::Row;

/// Fewer rows than this can be far apart by chance.
const FEWEST: usize = 6;

const DAY: i64 = 86_400;

/// Refuses rows that are regularly as far apart as candles of a longer interval. `rows` are in ascending order of
/// time.
///
/// An instrument that rarely trades has distances of all lengths. Rows are therefore only refused if no two of them
/// are in adjacent slots and at least half of the distances match one longer interval.
pub fn check(rows: &[Row], expected: &Expected<'_>) -> Result<(), Refusal> {
    let interval = expected.interval;
    match longer_interval(rows, interval) {
        Some(found) if !may_be_one_a_session(interval, found, expected) && !has_neighbours(rows, expected) => {
            Err(Refusal::LongerInterval { found, interval })
        }
        _ => Ok(()),
    }
}

/// Whether a session may be so short that it has only one candle, when no calendar is known.
fn may_be_one_a_session(interval: Interval, found: Interval, expected: &Expected<'_>) -> bool {
    const LONG: i64 = 2 * 3600;
    let is_long = interval.seconds().is_some_and(|seconds| seconds >= LONG);
    expected.calendar.is_none() && is_long && found == Interval::Day1
}

/// Whether two rows are in adjacent slots of the calendar, however far apart these are.
fn has_neighbours(rows: &[Row], expected: &Expected<'_>) -> bool {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return false };
    let mut was_present = false;
    expected.slots(first.time.seconds(), last.time.seconds()).any(|slot| {
        let is_present = rows.binary_search_by_key(&slot, |row| row.time.seconds()).is_ok();
        std::mem::replace(&mut was_present, is_present) && is_present
    })
}

fn longer_interval(rows: &[Row], interval: Interval) -> Option<Interval> {
    if rows.len() < FEWEST {
        return None;
    }
    let shortest = distances(rows).min()?;
    let found = Interval::ALL.into_iter().rfind(|candidate| lengths(*candidate).0 <= shortest)?;
    if found <= interval {
        return None;
    }
    let (least, most) = lengths(found);
    let count = distances(rows).filter(|distance| (least..=most).contains(distance)).count();
    (count * 2 >= rows.len() - 1).then_some(found)
}

/// The seconds between consecutive rows with different times.
fn distances(rows: &[Row]) -> impl Iterator<Item = i64> {
    rows.windows(2).map(|pair| pair[1].time.seconds() - pair[0].time.seconds()).filter(|distance| *distance > 0)
}

/// The shortest and the longest distance in seconds between two candles if no session is without a trade. A holiday
/// moves the first session of a week by a day, and a weekend that of a month.
fn lengths(interval: Interval) -> (i64, i64) {
    match interval {
        Interval::Day1 => (DAY, DAY),
        Interval::Week1 => (6 * DAY, 8 * DAY),
        Interval::Month1 => (27 * DAY, 35 * DAY),
        _ => interval.seconds().map_or((DAY, DAY), |seconds| (seconds, seconds)),
    }
}
