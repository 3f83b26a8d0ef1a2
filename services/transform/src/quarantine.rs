//! The rows that were set aside, with their reasons.

use std::fmt;
use std::io::Write;

use crate::cells::Cells;
use crate::row::Fault;

/// Why a row is no candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The cell is empty, or has a word for nothing in it.
    Missing,
    /// The cell is neither a number nor a time, as its column wants.
    Unreadable,
    /// The number would have to be rounded to be kept.
    TooManyDigits,
    /// A price is nought or less.
    NotPositive,
    /// A volume is less than nought.
    Negative,
    /// The high is below the low.
    HighBelowLow,
    /// The open or the close lies outside low and high.
    OutsideRange,
    /// The time had not come yet.
    Future,
    /// The time is of another kind than the interval's: a date on an intraday candle, a time of day on a daily one.
    OtherInterval,
    /// Clocks were put forward over the local time: it did not exist.
    SkippedTime,
    /// The calendar has no session on that date, or in that week or month.
    NoSession,
    /// The calendar has no slot that begins at that time.
    NoSlot,
    /// Another row of the same time says something else, with more volume.
    LesserDuplicate,
    /// Another row of the same time says something else, and nothing tells which is right.
    ConflictingDuplicate,
}

impl Reason {
    /// The reason's code, in reports and in quarantine CSV.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::TooManyDigits => "too_many_digits",
            Self::NotPositive => "not_positive",
            Self::Negative => "negative",
            Self::HighBelowLow => "high_below_low",
            Self::OutsideRange => "outside_range",
            Self::Future => "future",
            Self::OtherInterval => "other_interval",
            Self::SkippedTime => "skipped_time",
            Self::NoSession => "no_session",
            Self::NoSlot => "no_slot",
            Self::LesserDuplicate => "lesser_duplicate",
            Self::ConflictingDuplicate => "conflicting_duplicate",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// A row that is set aside: where it begins in the text, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetAside {
    /// Where it begins.
    pub start: usize,
    /// Why it is no candle.
    pub fault: Fault,
}

/// A row that was set aside, as quarantine CSV has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantined<'a> {
    /// The line it begins on in the raw object, from 1.
    pub line: u64,
    /// Why it is no candle.
    pub fault: Fault,
    /// The row as it came.
    pub row: &'a [u8],
}

/// The rows that were set aside, given in the order of the text. Their lines are counted only now: hardly a row is set
/// aside, and the others need none.
pub fn quarantined<'a>(text: &'a [u8], delimiter: u8, aside: &[SetAside]) -> impl Iterator<Item = Quarantined<'a>> {
    let line_end = if memchr::memchr(b'\n', text).is_some() { b'\n' } else { b'\r' };
    let (mut line, mut counted, mut cells) = (1, 0, Cells::new(delimiter));
    aside.iter().map(move |&SetAside { start, fault }| {
        line += memchr::memchr_iter(line_end, &text[counted..start]).count() as u64;
        counted = start;
        let row = &text[start..start + cells.split(&text[start..])];
        Quarantined { line, fault, row: without_line_break(row) }
    })
}

fn without_line_break(row: &[u8]) -> &[u8] {
    row.strip_suffix(b"\n").or(row.strip_suffix(b"\r")).unwrap_or(row)
}

/// Writes quarantine CSV: `line,column,reason,row`, by line.
///
/// # Errors
/// Those of `out`.
pub fn write<'a>(quarantined: impl Iterator<Item = Quarantined<'a>>, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["line", "column", "reason", "row"])?;
    for Quarantined { line, fault: Fault { column, reason }, row } in quarantined {
        writer.write_record([line.to_string().as_bytes(), column.as_bytes(), reason.code().as_bytes(), row])?;
    }
    Ok(writer.flush()?)
}
