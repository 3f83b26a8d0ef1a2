//! The format of a calendar file: regular hours, and the dates that differ from them.

use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::Deserialize;

use super::error::InvalidCalendar;

/// A complete calendar file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    pub code: String,
    pub name: String,
    /// The codes of other markets that have the same sessions.
    pub serves: Vec<String>,
    pub timezone: String,
    pub source: String,
    pub first: FileDate,
    pub last: FileDate,
    pub days: Vec<FileWeekday>,
    /// The regular hours in ascending order; each entry applies from its own date on.
    pub hours: Vec<RegularHours>,
    /// Dates on `days` without a session.
    pub closed: Vec<FileDate>,
    /// Sessions on other days of the week than `days`.
    pub extra: Vec<FileDate>,
    /// Sessions whose hours differ from the regular ones. An entry replaces all regular hours: without a break of its
    /// own, the session has no break.
    pub unusual: Vec<UnusualHours>,
    /// Sessions that are held by some venues only, or in full by some venues only.
    pub uncertain: Vec<UncertainHours>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RegularHours {
    pub from: FileDate,
    #[serde(flatten)]
    pub hours: Hours,
}

#[derive(Debug, Deserialize)]
pub(super) struct UnusualHours {
    pub date: FileDate,
    #[serde(flatten)]
    pub hours: Hours,
}

/// A session that only some venues hold, and the part of it that all venues hold, if there is one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UncertainHours {
    pub date: FileDate,
    pub certain: Option<(LocalTime, LocalTime)>,
}

/// The local times at which a session opens, closes and pauses.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Hours {
    pub open: LocalTime,
    pub close: LocalTime,
    #[serde(rename = "break")]
    pub break_: Option<(LocalTime, LocalTime)>,
}

/// A TOML date, written without quotes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "toml::value::Datetime")]
pub(super) struct FileDate(pub Date);

impl TryFrom<toml::value::Datetime> for FileDate {
    type Error = String;

    fn try_from(value: toml::value::Datetime) -> Result<Self, String> {
        value.to_string().parse().map(FileDate).map_err(|error| format!("{value}: {error}"))
    }
}

/// A day of the week by its first three letters.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum FileWeekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<FileWeekday> for Weekday {
    fn from(day: FileWeekday) -> Self {
        match day {
            FileWeekday::Mon => Weekday::Monday,
            FileWeekday::Tue => Weekday::Tuesday,
            FileWeekday::Wed => Weekday::Wednesday,
            FileWeekday::Thu => Weekday::Thursday,
            FileWeekday::Fri => Weekday::Friday,
            FileWeekday::Sat => Weekday::Saturday,
            FileWeekday::Sun => Weekday::Sunday,
        }
    }
}

/// A local time on the date of a session, such as "09:30". It may be "24:00", the midnight at which the date ends (a
/// market that never closes uses it), or "17:00 the day before" (forex opens on Sunday for its Monday session).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct LocalTime {
    pub day_before: bool,
    pub hour: i8,
    pub minute: i8,
}

impl LocalTime {
    /// The midnight at which a date begins.
    pub const MIDNIGHT: Self = LocalTime { day_before: false, hour: 0, minute: 0 };
}

impl TryFrom<String> for LocalTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = text.strip_suffix(" the day before");
        let day_before = time.is_some();
        let parts = time.unwrap_or(&text).split_once(':');
        match parts.and_then(|(hour, minute)| Some((hour.parse().ok()?, minute.parse().ok()?))) {
            Some((hour @ 0..=23, minute @ 0..=59)) | Some((hour @ 24, minute @ 0)) => {
                Ok(LocalTime { day_before, hour, minute })
            }
            _ => Err(format!("{text} is no time of the form 09:30")),
        }
    }
}

impl Definition {
    /// `file` identifies the text in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, InvalidCalendar> {
        toml::from_str(text).map_err(|error| InvalidCalendar::new(file, error))
    }

    /// The compiled-in rules of the time zone. The rules of the machine could be older or newer and yield other
    /// sessions.
    pub fn zone(&self) -> Result<TimeZone, InvalidCalendar> {
        TimeZoneDatabase::bundled().get(&self.timezone).map_err(|error| self.invalid(error))
    }

    pub fn invalid(&self, reason: impl ToString) -> InvalidCalendar {
        InvalidCalendar::new(&self.code, reason)
    }
}
