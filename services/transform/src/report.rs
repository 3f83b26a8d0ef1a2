//! Builds the report of a cleaning.

use std::collections::BTreeMap;

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::raw_csv::Header;
use candlewick_shared::core::report::{CalendarUsed, Fate, Gap, Measured, Report, Rows, SCHEMA, Touched};

use crate::expected::Expected;
use crate::fault::QuarantinedRow;
use crate::gaps::VacantSlots;
use crate::read::Read;
use crate::row::Row;
use crate::task::{RULES, Task};

/// The results of a cleaning.
pub struct Facts<'a> {
    pub task: &'a Task<'a>,
    pub header: &'a Header,
    /// The slots that the rows were checked against.
    pub expected: &'a Expected<'a>,
    /// Why this calendar was chosen, or why there is none.
    pub calendar_reason: String,
    /// The counts of reading; its rows were taken out.
    pub read: &'a Read,
    /// The count of provisional rows.
    pub provisional: u64,
    /// The count of rows that were equal to another one.
    pub collapsed: u64,
    /// The quarantined rows.
    pub quarantined: &'a [QuarantinedRow],
    /// The candles.
    pub rows: &'a [Row],
    /// The runs of vacant slots between the candles.
    pub runs: &'a [VacantSlots],
    /// How the source stamps weeks or months.
    pub stamps: Option<String>,
    /// A description of the file's form, if it was not raw CSV.
    pub dialect: Option<String>,
}

pub fn of(facts: Facts<'_>) -> Report {
    let Facts { task, expected, runs, .. } = facts;
    let Series { symbol, interval } = task.series;
    let time = |row: &Row| row.time.display(*interval).to_string();
    let (unchecked, horizon) = expected.unchecked(facts.rows);
    let rows = facts.rows(unchecked);
    Report {
        schema: SCHEMA,
        rules: RULES,
        symbol: symbol.to_string(),
        interval: interval.to_string(),
        source: task.source.clone(),
        calendar: CalendarUsed {
            code: expected.calendar.map(|calendar| calendar.code().to_owned()),
            version: expected.calendar.map(|calendar| calendar.version()),
            reason: facts.calendar_reason.clone(),
            horizon,
        },
        max_fill: task.settings.max_fill,
        touched: touched(task, &rows),
        rows,
        first: facts.rows.first().map(time),
        last: facts.rows.last().map(time),
        gaps: runs.iter().map(|run| gap(run, *interval)).collect(),
        ignored_columns: facts.header.ignored.clone(),
        stamps: facts.stamps.clone(),
        dialect: facts.dialect.clone(),
    }
}

impl Facts<'_> {
    fn rows(&self, unchecked: u64) -> Rows {
        let refilled_kept = self.rows.iter().filter(|row| row.is_filled).count() as u64;
        let kept = self.rows.len() as u64 - refilled_kept;
        let filled = self.runs.iter().filter(|run| run.fate == Fate::Filled).map(|run| run.slots).sum();
        Rows {
            read: self.read.read,
            empty: self.read.empty,
            provisional: self.provisional,
            refilled: self.read.filled.len() as u64 - refilled_kept,
            refilled_kept,
            collapsed: self.collapsed,
            quarantined: by_reason(self.quarantined),
            kept,
            unchecked,
            widened: self.read.widened,
            filled,
            written: kept + refilled_kept + filled,
        }
    }
}

/// The count of quarantined rows for each reason.
pub fn by_reason(quarantined: &[QuarantinedRow]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in quarantined {
        *counts.entry(row.fault.reason).or_default() += 1;
    }
    counts.into_iter().map(|(reason, count)| (reason.code().to_owned(), count)).collect()
}

fn touched(task: &Task<'_>, rows: &Rows) -> Touched {
    let quarantined = rows.quarantined_total();
    let not_empty = rows.read - rows.empty;
    Touched {
        quarantined: Measured::new(quarantined, not_empty, task.settings.max_quarantined.get()),
        filled: Measured::new(rows.filled + rows.refilled_kept, rows.written, task.settings.max_filled.get()),
    }
}

fn gap(run: &VacantSlots, interval: Interval) -> Gap {
    let time = |slot| CandleTime::from_seconds(slot).display(interval).to_string();
    Gap { first: time(run.first), last: time(run.last), slots: run.slots, fate: run.fate }
}
