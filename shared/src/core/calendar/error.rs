//! Errors of calendars.

use std::ops::Range;

use jiff::civil::Date;
use thiserror::Error;

const LATER: &str =
    "for later dates, update Candlewick or put a calendar of your own next to the watchlist (docs/calendars.md)";
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
    /// What is wrong, with the line if it is known.
    pub reason: String,
}

impl InvalidCalendar {
    pub(super) fn new(calendar: &str, reason: impl ToString) -> Self {
        InvalidCalendar { calendar: calendar.to_owned(), reason: reason.to_string() }
    }

    /// An error at a place in the text of a file.
    pub(super) fn at(calendar: &str, text: &str, span: Option<Range<usize>>, reason: &str) -> Self {
        let reason = reason.trim_end().replace('\n', "; ");
        match span.and_then(|span| text.get(..span.start)) {
            Some(before) => Self::new(calendar, format!("line {}: {reason}", before.matches('\n').count() + 1)),
            None => Self::new(calendar, reason),
        }
    }
}
