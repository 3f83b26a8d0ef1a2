//! The cleaning: the text of a raw object in, candles, report and quarantine out. No I/O, no clock.

use std::io::{self, Write};
use std::ops::RangeInclusive;

use candlewick_shared::core::calendar::choice::{self, Choice};
use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::key::{Month, Part, Series};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::raw_csv::{self, Header, Unreadable};
use candlewick_shared::core::report::{Fate, Report, Source};
use candlewick_shared::core::watchlist::CleaningSettings;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cells::Cells;
use crate::duplicates;
use crate::expected::Expected;
use crate::gaps::{self, Run};
use crate::quarantine::{self, Quarantined, SetAside};
use crate::read;
use crate::report::{self, Facts};
use crate::row::{Fault, Row, RowRules};
use crate::write::CleanWriter;

/// The version of the cleaning rules: it changes whenever the same input could give other bytes.
pub const RULES: u32 = 1;

/// What is known of a raw object beside its bytes.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The series that its key names.
    pub series: &'a Series,
    /// The part of that series that it holds.
    pub part: Part,
    /// The zone of times that name no offset.
    pub zone: &'a TimeZone,
    /// When the source said it: what was in the future then, is.
    pub now: Timestamp,
    /// What the source says of the instrument.
    pub instrument: &'a Instrument,
    /// What the owner says of it.
    pub settings: &'a CleaningSettings,
    /// Which object it is.
    pub source: Source,
}

/// What cleaning makes of a raw object. The candles are still where they were, in its text; what is known of each takes 24
/// bytes beside that.
#[derive(Clone, Debug)]
pub struct Cleaned<'a> {
    /// Every decision, counted.
    pub report: Report,
    raw: Raw<'a>,
    expected: Expected<'a>,
    rows: Vec<Row>,
    runs: Vec<Run>,
    aside: Vec<SetAside>,
}

/// A raw object whose header was read.
#[derive(Clone, Debug)]
struct Raw<'a> {
    text: &'a [u8],
    header: Header,
    task: &'a Task<'a>,
}

/// Cleans a raw object.
///
/// # Errors
/// [`Unreadable`], where the bytes are no raw CSV; rows that are wrong one by one are set aside.
pub fn clean<'a>(text: &'a [u8], task: &'a Task<'a>) -> Result<Cleaned<'a>, Unreadable> {
    let (header, body) = raw_csv::open_at(text)?;
    let raw = Raw { text, header, task };
    let rules = raw.rules();
    let mut read = read::rows(text, body, &rules, rules.plain_rows());
    let (mut rows, mut aside) = (std::mem::take(&mut read.rows), std::mem::take(&mut read.aside));
    let Choice { calendar, reason } = choice::choose(task.settings.calendar.as_ref(), task.instrument);
    let expected = Expected { calendar, interval: task.series.interval, zone: task.zone, now: task.now };
    sort(&mut rows);
    aside.extend(expected.take_strays(&mut rows));
    let (provisional, future) = expected.take_open(&mut rows);
    let mut cells = raw.cells();
    let resolved = duplicates::resolve(&mut rows, |row| raw.candle(row, &mut cells));
    aside.extend(future.into_iter().chain(resolved.aside));
    aside.sort_unstable();
    let runs = gaps::find(&rows, &expected, seconds(task.part), task.settings.max_fill);
    let facts = Facts {
        task,
        header: &raw.header,
        expected: &expected,
        calendar_reason: reason,
        read: &read,
        provisional,
        collapsed: resolved.collapsed,
        aside: &aside,
        rows: &rows,
        runs: &runs,
    };
    Ok(Cleaned { report: report::of(facts), raw, expected, rows, runs, aside })
}

/// Puts rows in order of time. Sources write the newest first or last; only what is in neither order is sorted, by a sort
/// that is quick on rows that nearly are.
fn sort(rows: &mut [Row]) {
    if rows.first().zip(rows.last()).is_some_and(|(first, last)| first.time > last.time) {
        rows.reverse();
    }
    if !rows.is_sorted_by_key(|row| row.time) {
        rows.sort_by_key(|row| row.time);
    }
}

/// The seconds from the first to the last of a month in UTC; none for what is all of a series.
fn seconds(part: Part) -> Option<RangeInclusive<i64>> {
    let Part::Month(Month { year, month }) = part else { return None };
    let first = Date::new(year, month, 1).ok()?;
    let begin = |date| CandleTime::from_date(date).seconds();
    Some(begin(first)..=begin(first.last_of_month()) + 86_399)
}

impl Raw<'_> {
    fn rules(&self) -> RowRules<'_> {
        let Task { series, zone, now, .. } = *self.task;
        RowRules { header: &self.header, interval: series.interval, zone, now }
    }

    fn cells(&self) -> Cells {
        Cells::new(self.header.delimiter)
    }

    /// What a row says, read once more from the text.
    fn candle(&self, row: &Row, cells: &mut Cells) -> Result<Candle, Fault> {
        cells.split(&self.text[row.start..]);
        self.rules().candle(cells)
    }
}

impl Cleaned<'_> {
    /// Writes the clean CSV.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_candles(&self, out: impl Write) -> io::Result<()> {
        let raw = &self.raw;
        let mut writer = CleanWriter::new(raw.task.series, raw.header.volume.is_some(), out)?;
        let mut filled = self.runs.iter().filter(|run| run.fate == Fate::Filled).peekable();
        let mut cells = raw.cells();
        for (at, row) in self.rows.iter().enumerate() {
            if let Some(run) = filled.next_if(|run| run.first < row.time.seconds()) {
                self.fill(run, at, &mut cells, &mut writer)?;
            }
            match row.numbers {
                Some(numbers) => writer.copy(row.time, numbers.of(raw.text, row.start), raw.header.delimiter)?,
                None => writer.write(&raw.candle(row, &mut cells).map_err(unreadable)?)?,
            }
        }
        writer.finish().map(drop)
    }

    /// Writes the candles of a run of vacant slots: each at the close before it, which is that of the row before `at`.
    fn fill(
        &self,
        run: &Run,
        at: usize,
        cells: &mut Cells,
        writer: &mut CleanWriter<'_, impl Write>,
    ) -> io::Result<()> {
        let Some(before) = at.checked_sub(1).and_then(|before| self.rows.get(before)) else { return Ok(()) };
        let before = self.raw.candle(before, cells).map_err(unreadable)?;
        for slot in self.expected.slots(run.first, run.last) {
            writer.write(&before.filled_at(CandleTime::from_seconds(slot)))?;
        }
        Ok(())
    }

    /// The rows that were set aside, in the order of the text.
    pub fn quarantined(&self) -> impl Iterator<Item = Quarantined<'_>> {
        quarantine::quarantined(self.raw.text, self.raw.header.delimiter, &self.aside)
    }

    /// Writes the quarantine CSV.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_quarantine(&self, out: impl Write) -> Result<(), csv::Error> {
        quarantine::write(self.quarantined(), out)
    }
}

/// A row that was a candle when it was read is one when it is read again; should it not be, nothing is written.
fn unreadable(fault: Fault) -> io::Error {
    io::Error::other(format!("a row was read twice and differed: {} {}", fault.column, fault.reason))
}
