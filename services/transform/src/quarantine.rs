//! The rows that were set aside, with their reasons.

use std::fmt;

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

/// A row that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The line it begins on in the raw object, from 1.
    pub line: u64,
    /// The column that shows why.
    pub column: &'static str,
    /// Why.
    pub reason: Reason,
    /// The row as it came.
    pub row: Vec<u8>,
}

/// Writes quarantine CSV: `line,column,reason,row`, by line.
///
/// # Errors
/// None that come from the rows; the writer's own, should memory refuse.
pub fn write(quarantined: &[Quarantined]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(["line", "column", "reason", "row"])?;
    for entry in quarantined {
        let line = entry.line.to_string();
        writer.write_record([line.as_bytes(), entry.column.as_bytes(), entry.reason.code().as_bytes(), &entry.row])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
