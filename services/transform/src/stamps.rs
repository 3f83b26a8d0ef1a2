//! Restamps weeks and months that a source stamps with another day than the first.

use candlewick_shared::core::calendar::stamping::{Stamping, stamping};
use candlewick_shared::core::calendar::{Calendar, first_date};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;

use crate::fault::{Fault, QuarantinedRow, Reason};
use crate::row::Row;
use crate::task::Task;

/// The result of restamping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restamped {
    /// How the source stamps its candles, if not with the first day.
    pub stamps: Option<String>,
    /// Why the stamping cannot be detected, if it cannot.
    pub unclear: Option<String>,
    /// The rows to quarantine because the stamping is unclear and they are not stamped with the first day.
    pub quarantined: Vec<QuarantinedRow>,
    /// The count of rows in a period that was not over.
    pub provisional: u64,
}

/// Stamps each row of a weekly or monthly series with the first day of its period, if the dates of all rows show
/// which day the source uses. The order of the rows does not change.
pub fn restamp(rows: &mut Vec<Row>, task: &Task<'_>, calendar: Option<&Calendar>) -> Restamped {
    let today = task.now.to_zoned(task.zone.clone()).date();
    let dates = rows.iter().filter_map(|row| row.time.date());
    let stamps = match stamping(task.series.interval, calendar, today, dates) {
        Ok(stamps) if stamps.stamping == Stamping::FirstDay => return Restamped::default(),
        Ok(stamps) => stamps,
        Err(unclear) => {
            let quarantined = take_others(rows, task.series.interval);
            return Restamped { unclear: Some(unclear.to_string()), quarantined, ..Restamped::default() };
        }
    };
    let before = rows.len();
    rows.retain_mut(|row| match row.time.date().and_then(|date| stamps.slot(date)) {
        Some(slot) => {
            row.time = CandleTime::from_date(slot);
            true
        }
        None => false,
    });
    let provisional = (before - rows.len()) as u64;
    Restamped { stamps: Some(stamps.stamping.to_string()), provisional, ..Restamped::default() }
}

fn take_others(rows: &mut Vec<Row>, interval: Interval) -> Vec<QuarantinedRow> {
    let is_first = |row: &Row| row.time.date().is_some_and(|date| first_date(interval, date) == date);
    let others = rows.extract_if(.., |row| !is_first(row));
    let fault = Fault { column: "time", reason: Reason::NoSession };
    others.map(|row| QuarantinedRow { start: row.start, time: Some(row.time), fault }).collect()
}
