//! What a calendar can refuse.

use jiff::civil::Date;
use thiserror::Error;

const LATER: &str = "for later dates, run shared/calendars/generate.py with a later --through";
const EARLIER: &str = "earlier candles are kept as they come, neither checked against sessions nor filled";

/// A calendar was asked about a date of which it knows nothing, and does not guess.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "calendar {calendar} covers {first} to {last} and says nothing of {asked}: {}",
    if asked > last { LATER } else { EARLIER }
)]
pub struct BeyondHorizon {
    /// The code of the calendar.
    pub calendar: String,
    /// The date that is not covered. For a week or a month it may be a day of it that is not the one asked for.
    pub asked: Date,
    /// The first date covered.
    pub first: Date,
    /// The last date covered.
    pub last: Date,
}

/// A calendar's file does not say what one must say.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("calendar {calendar} is invalid: {reason}")]
pub struct InvalidCalendar {
    /// The calendar's code, or the name of a file whose code cannot be read.
    pub calendar: String,
    /// What is wrong, for the developer who changed the generator.
    pub reason: String,
}

impl InvalidCalendar {
    pub(super) fn new(calendar: &str, reason: impl ToString) -> Self {
        InvalidCalendar { calendar: calendar.to_owned(), reason: reason.to_string() }
    }
}
