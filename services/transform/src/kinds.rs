//! Refuses files whose rows are of several instruments, or of several kinds, such as bid and ask, two exchanges or two
//! expiries of a future.

use std::collections::{BTreeMap, BTreeSet};

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::raw_csv::cells::{Cells, line};
use candlewick_shared::core::raw_csv::shown;

use crate::fault::{QuarantinedRow, Reason};
use crate::raw::Raw;
use crate::refusal::Refusal;
use crate::row::Row;

/// How many times with several rows are inspected.
const LOOKED_AT: usize = 100;

/// A column with more values than this does not name kinds.
const MOST: usize = 6;

/// Refuses the file if every row that shares its time with another differs from it in a column of names that is not read:
/// the largest volume would choose among the kinds. `rows` are the candles, in ascending order of time.
pub fn check(raw: &Raw<'_>, quarantined: &[QuarantinedRow], rows: &[Row]) -> Result<(), Refusal> {
    let shared = rows_by_time(quarantined, rows);
    if shared.len() < 2 {
        return Ok(());
    }
    let header = &raw.header;
    let mut unread = (0..header.names.len()).filter(|field| !header.reads(*field) && !header.names[*field].is_empty());
    match unread.find_map(|field| Some((field, kinds(raw, &shared, field)?))) {
        None => Ok(()),
        Some((field, values)) => Err(Refusal::SeveralKinds {
            column: header.names[field].clone(),
            values: values.into_iter().collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Refuses the joined files of two instruments: their rows would be mixed by volume. `unlike` are the times of rows whose prices
/// have nothing in common, and `kept` is how many rows are left. One or two of them may be errors.
pub fn require_one_series(unlike: &[CandleTime], kept: usize, interval: Interval) -> Result<(), Refusal> {
    match unlike {
        [first, _, _, ..] if unlike.len() * 5 >= kept => {
            let first = first.display(interval).to_string();
            Err(Refusal::SeveralSeries { times: unlike.len() as u64, first })
        }
        _ => Ok(()),
    }
}

/// The offsets of the rows of each time that has several different ones.
fn rows_by_time(quarantined: &[QuarantinedRow], rows: &[Row]) -> BTreeMap<CandleTime, Vec<usize>> {
    let is_other =
        |row: &&QuarantinedRow| matches!(row.fault.reason, Reason::LesserDuplicate | Reason::ConflictingDuplicate);
    let mut shared: BTreeMap<CandleTime, Vec<usize>> = BTreeMap::new();
    for other in quarantined.iter().filter(is_other).take(LOOKED_AT) {
        let Some(time) = other.time else { continue };
        shared.entry(time).or_default().push(other.start);
    }
    for (time, starts) in &mut shared {
        let winner = rows.binary_search_by_key(time, |row| row.time).ok().and_then(|at| rows.get(at));
        starts.extend(winner.map(|row| row.start));
    }
    shared
}

/// The values of a column, if they tell apart all rows of the same time.
fn kinds(raw: &Raw<'_>, shared: &BTreeMap<CandleTime, Vec<usize>>, field: usize) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    let mut cells = raw.cells();
    for starts in shared.values() {
        let values: BTreeSet<String> =
            starts.iter().filter_map(|start| value(raw, *start, field, &mut cells)).collect();
        if values.len() < starts.len() {
            return None;
        }
        all.extend(values);
    }
    (all.len() <= MOST).then_some(all)
}

/// A value that is not a number.
fn value(raw: &Raw<'_>, start: usize, field: usize, cells: &mut Cells) -> Option<String> {
    let (length, _) = line(&raw.text, start);
    cells.split(&raw.text[start..start + length]).ok()?;
    let cell = cells.get(field);
    (!cell.is_empty() && Decimal::parse(cell).is_err()).then(|| shown(cell))
}
