//! Detects rows of a shorter interval than the object's: an hourly file under a daily key, a daily file under a
//! weekly key.
//!
//! Some of these rows always match a slot: the hour that begins at midnight, the day that is a Monday. Each alone
//! looks like a candle of the longer interval, and only the other rows reveal it.

use candlewick_shared::core::calendar::last_date;
use candlewick_shared::core::candle::CandleTime;

use crate::expected::Expected;
use crate::fault::{Fault, QuarantinedRow, Reason};
use crate::row::Row;

const FAULT: Fault = Fault { column: "time", reason: Reason::OtherInterval };

/// Removes the rows that the other rows reveal as candles of a shorter interval. `rows` are in ascending order of
/// time, and `quarantined` are the rows that were quarantined so far.
pub fn take(rows: &mut Vec<Row>, quarantined: &[QuarantinedRow], expected: &Expected<'_>) -> Vec<QuarantinedRow> {
    match expected.interval.seconds() {
        Some(length) => take_shorter(rows, quarantined, expected, length),
        None => {
            let mut taken = take_with_time_of_day(rows, quarantined);
            taken.extend(take_several_of_a_period(rows, expected));
            taken
        }
    }
}

/// If one row has a time of day, midnight in another row is a time of day as well.
fn take_with_time_of_day(rows: &mut Vec<Row>, quarantined: &[QuarantinedRow]) -> Vec<QuarantinedRow> {
    let has_one = quarantined.iter().any(|row| row.fault == FAULT);
    take_if(rows, |row| has_one && row.has_time_of_day)
}

/// A week or a month has one candle. If a period has rows with several dates, all of them are of a shorter interval.
fn take_several_of_a_period(rows: &mut Vec<Row>, expected: &Expected<'_>) -> Vec<QuarantinedRow> {
    let end = |row: &Row| row.time.date().map(|_| last_date(expected.interval, row.time.seconds()));
    let shares =
        |one: Option<&Row>, other: &Row| one.is_some_and(|one| one.time != other.time && end(one) == end(other));
    let is_taken: Vec<bool> = (0..rows.len())
        .map(|at| {
            shares(at.checked_sub(1).and_then(|before| rows.get(before)), &rows[at])
                || shares(rows.get(at + 1), &rows[at])
        })
        .collect();
    // Rows with the same time are adjacent, and what applies to one of them applies to all.
    let times: Vec<CandleTime> =
        rows.iter().zip(is_taken).filter(|(_, is_taken)| *is_taken).map(|(row, _)| row.time).collect();
    take_if(rows, |row| times.binary_search(&row.time).is_ok())
}

/// If at least half of the rows have another row within their length, all rows are of a shorter interval. One or two
/// such rows, for example the last trade of an unfinished candle, prove nothing.
fn take_shorter(
    rows: &mut Vec<Row>,
    quarantined: &[QuarantinedRow],
    expected: &Expected<'_>,
    length: i64,
) -> Vec<QuarantinedRow> {
    let covered = expected.covered();
    let is_stray = |row: &&QuarantinedRow| row.fault.reason == Reason::NoSlot;
    let mut strays: Vec<i64> =
        quarantined.iter().filter(is_stray).filter_map(|row| row.time).map(CandleTime::seconds).collect();
    strays.sort_unstable();
    let has_within = |at: usize| {
        let time = rows[at].time.seconds();
        if !covered.contains(&time) {
            // Slots on both sides of a break may be closer than their length, but not closer than half of it.
            let next = rows[at..].iter().map(|row| row.time.seconds()).find(|next| *next > time);
            return next.is_some_and(|next| next - time <= length / 2);
        }
        let end = expected.end(time).unwrap_or(time + length);
        strays.get(strays.partition_point(|stray| *stray <= time)).is_some_and(|stray| *stray < end)
    };
    if strays.is_empty()
        && rows.first().zip(rows.last()).is_none_or(|(first, last)| {
            covered.contains(&first.time.seconds()) && covered.contains(&last.time.seconds())
        })
    {
        return Vec::new();
    }
    let disproved = (0..rows.len()).filter(|at| has_within(*at)).count();
    let is_shorter = disproved > 0 && disproved * 2 >= rows.len();
    take_if(rows, |_| is_shorter)
}

fn take_if(rows: &mut Vec<Row>, is_taken: impl Fn(&Row) -> bool) -> Vec<QuarantinedRow> {
    let taken = rows.extract_if(.., |row| is_taken(row));
    taken.map(|row| QuarantinedRow { start: row.start, time: Some(row.time), fault: FAULT }).collect()
}
