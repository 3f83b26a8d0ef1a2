//! Errors of calendars.

use jiff::civil::Date;
use thiserror::Error;

const LATER: &str = "for later dates, run shared/calendars/generate.py with a later --through";
const EARLIER: &str = "earlier candles are kept as they come, neither checked against sessions nor filled";

/// The calendar has no data for the requested date.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "calendar {calendar} covers {first} to {last} and says nothing of {asked}: {}",
    if asked > last { LATER } else { EARLIER }
)]
pub struct BeyondHorizon {
    /// The code of the calendar.
    pub calendar: String,
    /// A date that is not covered. For a week or a month it may be another day of it than the requested one.
    pub asked: Date,
    /// The first date that the calendar covers.
    pub first: Date,
    /// The last date that the calendar covers.
    pub last: Date,
}

/// A calendar file is malformed or contradicts itself.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("calendar {calendar} is invalid: {reason}")]
pub struct InvalidCalendar {
    /// The code of the calendar, or the name of the file if its code cannot be read.
    pub calendar: String,
    /// What is wrong, written for the developer who changed the generator.
    pub reason: String,
}

impl InvalidCalendar {
    pub(super) fn new(calendar: &str, reason: impl ToString) -> Self {
        InvalidCalendar { calendar: calendar.to_owned(), reason: reason.to_string() }
    }
}
