//! The cleaning: the text of a raw object in, and candles, a report and the quarantine out. It does no I/O and reads
//! no clock.

use std::io::{self, Write};
use std::ops::RangeInclusive;

use candlewick_shared::core::calendar::choice::Choice;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::key::{Month, Part};
use candlewick_shared::core::raw_csv::cells::Cells;
use candlewick_shared::core::report::{Fate, Report};
use jiff::civil::Date;

use crate::coarser;
use crate::duplicates::{self, Resolved};
use crate::ends;
use crate::expected::Expected;
use crate::explain::Explain;
use crate::fault::{Fault, QuarantinedRow, Reason};
use crate::finer;
use crate::gaps::{self, VacantSlots};
use crate::grid;
use crate::kinds;
use crate::months::{self, MonthText};
use crate::otherwise;
use crate::quarantine::{self, Quarantined};
use crate::raw::Raw;
use crate::refusal::Refusal;
use crate::report::{self, Facts};
use crate::row::{Numbers, Row};
use crate::stamps::{self, Restamped};
use crate::task::Task;
use crate::write::CleanWriter;

/// The result of cleaning a raw object. The candles stay in its text; each one only takes 24 bytes in addition.
#[derive(Clone, Debug)]
pub struct Cleaned<'a> {
    /// The counts of all decisions.
    pub report: Report,
    raw: Raw<'a>,
    expected: Expected<'a>,
    rows: Vec<Row>,
    runs: Vec<VacantSlots>,
    quarantined: Vec<QuarantinedRow>,
    /// Why the stamping of weeks or months cannot be detected, if it cannot.
    unclear_stamps: Option<String>,
}

/// Rows after the checks against the calendar and against each other.
struct Settled {
    restamped: Restamped,
    rows: Vec<Row>,
    quarantined: Vec<QuarantinedRow>,
    provisional: u64,
    collapsed: u64,
    unlike: Vec<CandleTime>,
}

/// Cleans a raw object; an object without a single candle is refused.
pub fn clean<'a>(text: &'a [u8], task: &'a Task<'a>) -> Result<Cleaned<'a>, Refusal> {
    clean_or_empty(text, task)?.require_candles()
}

/// Cleans a raw object, also if no candle is left: for an object that its owner emptied.
pub fn clean_or_empty<'a>(text: &'a [u8], task: &'a Task<'a>) -> Result<Cleaned<'a>, Refusal> {
    let Choice { calendar, reason } = task.settings.choose_calendar(task.instrument);
    let (raw, mut read) = Raw::open(text, task, calendar)?.read_in_any_form(text)?;
    let mut expected = Expected::of(task, calendar);
    raw.check_instrument(&read)?;
    otherwise::check(&raw.text, &read.quarantined, &raw.header, &task.series.symbol)?;
    let mut rows = std::mem::take(&mut read.rows);
    sort(&mut rows);
    if task.is_by_hand && task.settings.form.stamped.is_none() {
        ends::check(&rows, &expected)?;
    }
    let quarantined = std::mem::take(&mut read.quarantined);
    let settled = settle(&raw, &mut expected, rows, quarantined);
    if task.is_by_hand {
        require_one_kind(&raw, &settled, &expected)?;
    }
    let Settled { restamped, rows, quarantined, provisional, collapsed, .. } = settled;
    sort(&mut read.filled);
    let rows = with_filled(rows, &read.filled, &expected);
    let spoken_of = read.spoken_of(&quarantined, task.series.interval);
    let filled = raw.header.is_filled.map(|_| read.filled.as_slice());
    let runs = gaps::find(&rows, &expected, seconds(task.part), task.settings.max_fill, &spoken_of, filled);
    let facts = Facts {
        task,
        header: &raw.header,
        expected: &expected,
        calendar_reason: reason,
        read: &read,
        provisional,
        collapsed,
        quarantined: &quarantined,
        rows: &rows,
        runs: &runs,
        stamps: restamped.stamps,
        dialect: raw.foreign.as_ref().map(|foreign| foreign.dialect.clone()),
    };
    Ok(Cleaned { report: report::of(facts), raw, expected, rows, runs, quarantined, unclear_stamps: restamped.unclear })
}

/// Refuses a file with rows of several instruments or of a longer interval.
fn require_one_kind(raw: &Raw<'_>, settled: &Settled, expected: &Expected<'_>) -> Result<(), Refusal> {
    let Settled { rows, quarantined, unlike, .. } = settled;
    kinds::require_one_series(unlike, rows.len(), expected.interval)?;
    kinds::check(raw, quarantined, rows)?;
    coarser::check(rows, expected)
}

/// Checks rows against the calendar and against each other.
///
/// The rows are in ascending order of time.
fn settle(
    raw: &Raw<'_>,
    expected: &mut Expected<'_>,
    mut rows: Vec<Row>,
    mut quarantined: Vec<QuarantinedRow>,
) -> Settled {
    let mut restamped = match ends::shift(raw.task) {
        _ if !raw.task.series.interval.is_intraday() => stamps::restamp(&mut rows, raw.task, raw.calendar),
        0 => Restamped::default(),
        length => {
            ends::move_to_shorter_slots(&mut rows, length, expected);
            Restamped { stamps: Some(ends::STAMPED.to_owned()), ..Restamped::default() }
        }
    };
    quarantined.append(&mut restamped.quarantined);
    quarantined.extend(take_strays(&mut rows, expected, &mut restamped));
    quarantined.extend(finer::take(&mut rows, &quarantined, expected));
    let before = rows.len();
    let (open, future) = expected.take_open(&mut rows);
    let provisional = open + restamped.provisional;
    let mut cells = raw.cells();
    let mut resolved = duplicates::resolve(&mut rows, |row| raw.judge(row, &mut cells).map(|judged| judged.candle));
    quarantined.extend(future.into_iter().chain(std::mem::take(&mut resolved.quarantined)));
    if rows.len() < before {
        // The rows that are left may show what they did not show among the others, and would at the next cleaning.
        quarantined.extend(finer::take(&mut rows, &quarantined, expected));
    }
    quarantined.sort_unstable();
    let Resolved { collapsed, unlike, .. } = resolved;
    Settled { restamped, rows, quarantined, provisional, collapsed, unlike }
}

/// Removes the rows that match no slot. If the source's candles begin by the clock, removes the rows of times at
/// which the market is closed instead.
fn take_strays(rows: &mut Vec<Row>, expected: &mut Expected<'_>, restamped: &mut Restamped) -> Vec<QuarantinedRow> {
    let strays = expected.take_strays(rows);
    let reason = if expected.interval.is_intraday() { Reason::NoSlot } else { Reason::NoSession };
    if !grid::is_by_the_clock(rows, &strays, expected) {
        let quarantined = |row: Row| QuarantinedRow {
            start: row.start,
            time: Some(row.time),
            fault: Fault { column: "time", reason },
        };
        return strays.into_iter().map(quarantined).collect();
    }
    expected.is_by_the_clock = true;
    let stamps = restamped.stamps.iter().map(String::as_str).chain([grid::BY_THE_CLOCK]);
    restamped.stamps = Some(stamps.collect::<Vec<_>>().join("; "));
    rows.extend(strays);
    sort(rows);
    grid::take_shut(rows, expected)
}

/// Adds the rows that an earlier cleaning filled, if no calendar says which slots are vacant. With a calendar, vacant
/// slots are filled again.
fn with_filled(mut rows: Vec<Row>, filled: &[Row], expected: &Expected<'_>) -> Vec<Row> {
    let covered = expected.covered();
    let stays = |row: &&Row| {
        let is_new = rows.binary_search_by_key(&row.time, |real| real.time).is_err();
        is_new && !covered.contains(&row.time.seconds())
    };
    let mut stays: Vec<Row> = filled.iter().filter(stays).copied().collect();
    if !stays.is_empty() {
        stays.dedup_by_key(|row| row.time);
        rows.extend(stays);
        sort(&mut rows);
    }
    rows
}

/// Sorts rows by time. Most sources write the newest row first or last; only other orders are sorted, with a sort
/// that is fast on nearly sorted rows.
fn sort(rows: &mut [Row]) {
    if rows.first().zip(rows.last()).is_some_and(|(first, last)| first.time > last.time) {
        rows.reverse();
    }
    if !rows.is_sorted_by_key(|row| row.time) {
        rows.sort_by_key(|row| row.time);
    }
}

/// The seconds from the start to the end of a month in UTC; `None` if the part is all of a series.
fn seconds(part: Part) -> Option<RangeInclusive<i64>> {
    let Part::Month(Month { year, month }) = part else { return None };
    let first = Date::new(year, month, 1).ok()?;
    let begin = |date| CandleTime::from_date(date).seconds();
    Some(begin(first)..=begin(first.last_of_month()) + 86_399)
}

impl<'a> Cleaned<'a> {
    /// Refuses an object without a single candle, unless all of its rows are provisional: then nothing is wrong with
    /// it.
    fn require_candles(self) -> Result<Self, Refusal> {
        let rows = &self.report.rows;
        if rows.kept > 0 || (rows.provisional > 0 && rows.quarantined_total() == 0) {
            return Ok(self);
        }
        let others = [
            ("empty", rows.empty),
            ("equal", rows.collapsed),
            ("filled", rows.refilled + rows.refilled_kept),
            ("provisional", rows.provisional),
        ];
        let others = others.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count));
        let reasons = others.chain(rows.quarantined.clone()).collect();
        Err(Refusal::NothingUsable { rows: rows.read, reasons, first: self.first_quarantined() })
    }

    /// The fault of the first quarantined row, with its line.
    pub fn first_quarantined(&self) -> Option<String> {
        let Quarantined { line, fault, detail, .. } = self.quarantined().next()?;
        Some(format!("Line {line}, {}: {detail}", fault.column))
    }

    fn explain(&self) -> Explain<'_> {
        let unclear_stamps = self.unclear_stamps.as_deref();
        let Raw { header, task, zone, .. } = &self.raw;
        Explain::new(header, task, zone, self.expected.calendar, unclear_stamps)
    }
}

impl Cleaned<'_> {
    pub fn write_candles(&self, out: impl Write) -> io::Result<()> {
        let raw = &self.raw;
        let mut writer = CleanWriter::new(raw.task.series, raw.header.volume.is_some(), out)?;
        let mut filled = self.runs.iter().filter(|run| run.fate == Fate::Filled).peekable();
        let mut cells = raw.cells();
        let delimiter = raw.header.delimiter;
        let text = |row: &Row, numbers: Numbers| numbers.of(&raw.text, row.start);
        for (at, row) in self.rows.iter().enumerate() {
            if let Some(run) = filled.next_if(|run| run.first < row.time.seconds()) {
                self.fill(run, at, &mut cells, &mut writer)?;
            }
            match row.numbers {
                Some(numbers) if numbers.has_zeros => writer.copy_shortened(row.time, text(row, numbers), delimiter)?,
                Some(numbers) => writer.copy(row.time, text(row, numbers), delimiter)?,
                None => writer.write(&raw.judge(row, &mut cells).map_err(unreadable)?.candle)?,
            }
        }
        writer.finish().map(drop)
    }

    /// Writes the filled candles of a run of vacant slots, each at the close of the row before `at`.
    fn fill(
        &self,
        run: &VacantSlots,
        at: usize,
        cells: &mut Cells,
        writer: &mut CleanWriter<'_, impl Write>,
    ) -> io::Result<()> {
        let Some(before) = at.checked_sub(1).and_then(|before| self.rows.get(before)) else { return Ok(()) };
        let before = self.raw.judge(before, cells).map_err(unreadable)?.candle;
        for slot in self.expected.slots(run.first, run.last) {
            writer.write(&before.filled_at(CandleTime::from_seconds(slot)))?;
        }
        Ok(())
    }

    /// The quarantined rows, in the order of the text.
    pub fn quarantined(&self) -> impl Iterator<Item = Quarantined<'_>> {
        let original = self.raw.foreign.as_ref().map_or(&self.raw.text, |foreign| &foreign.original);
        quarantine::quarantined(&self.raw.text, original, self.explain(), &self.quarantined)
    }

    /// The text, split into the months that have candles.
    pub fn months(&self) -> Vec<MonthText> {
        months::split(&self.raw, &self.rows)
    }

    pub fn write_quarantine(&self, out: impl Write) -> Result<(), csv::Error> {
        quarantine::write(self.quarantined(), out)
    }
}

/// Rows that were candles when they were read must still be candles when they are read again; otherwise nothing is
/// written.
fn unreadable(fault: Fault) -> io::Error {
    io::Error::other(format!("a row was read twice and differed: {} {}", fault.column, fault.reason))
}
