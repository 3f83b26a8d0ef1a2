//! Why rows are quarantined.

use std::fmt;

use candlewick_shared::core::candle::CandleTime;

/// Why a row is not a candle.
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
    /// The row has more or fewer cells than the header.
    Ragged,
    /// A quote is opened and not closed in the row's line.
    OpenQuote,
    /// Something follows a closing quote in its cell.
    StrayQuote,
}

impl Reason {
    /// The reason's code, in reports and in quarantine CSV.
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

/// Why a row is not a candle, and which column shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The column's name, or `row` for the whole row.
    pub column: &'static str,
    pub reason: Reason,
}

/// A quarantined row: where it begins in the text, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetAside {
    pub start: usize,
    /// Its time, if that is readable.
    pub time: Option<CandleTime>,
    pub fault: Fault,
}
