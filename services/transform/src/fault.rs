//! Why rows are quarantined.

use std::fmt;

use candlewick_shared::core::candle::CandleTime;

/// Why a row is not a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The cell is empty, or has a word for a missing value.
    Missing,
    /// The cell is not a number or not a time, as its column requires.
    Unreadable,
    /// The number cannot be stored without rounding.
    TooManyDigits,
    /// A price is zero or less.
    NotPositive,
    /// A volume is less than zero.
    Negative,
    /// The high is below the low.
    HighBelowLow,
    /// The open or the close is outside of low and high.
    OutsideRange,
    /// The time was in the future when the source returned the row.
    Future,
    /// The time does not match the interval: a date on an intraday candle, or a time of day on a daily one.
    OtherInterval,
    /// The local time does not exist, because clocks were put forward over it.
    SkippedTime,
    /// The calendar has no session on that date, or in that week or month.
    NoSession,
    /// The calendar has no slot that begins at that time.
    NoSlot,
    /// Another row with the same time has other values and a larger volume.
    LesserDuplicate,
    /// Another row with the same time has other values, and it is unknown which one is right.
    ConflictingDuplicate,
    /// The row has more or fewer cells than the header.
    Ragged,
    /// A quote is opened in the row and not closed.
    OpenQuote,
    /// There is text after the closing quote of a cell.
    StrayQuote,
}

impl Reason {
    /// The code of the reason in reports and in quarantine CSV.
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
            Self::Ragged => "ragged",
            Self::OpenQuote => "open_quote",
            Self::StrayQuote => "stray_quote",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// Why a row is not a candle, and the column with the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The name of the column, or `row` for a fault of the whole row.
    pub column: &'static str,
    pub reason: Reason,
}

/// A quarantined row: its position in the text, and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuarantinedRow {
    pub start: usize,
    /// The time in the row, if it can be read.
    pub time: Option<CandleTime>,
    pub fault: Fault,
}
