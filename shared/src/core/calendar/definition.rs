//! The format of a calendar file: regular hours, and the dates that differ from them.

use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::Deserialize;

use super::error::InvalidCalendar;

/// A complete calendar file. An owner's own file may leave out what it does not need.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    pub code: String,
    /// The name of the market, for display; the code if it is empty.
    #[serde(default)]
    pub name: String,
    /// The codes of other markets that have the same sessions.
    #[serde(default)]
    pub serves: Vec<String>,
    pub timezone: String,
    #[serde(default)]
    pub source: String,
    pub first: FileDate,
    pub last: FileDate,
    /// The days of the week with sessions, unless the regular hours in force have days of their own.
    pub days: Vec<FileWeekday>,
    /// The regular hours in ascending order. The entries of a date replace all earlier ones from that date on.
    pub hours: Vec<RegularHours>,
    /// Dates on the regular days of the week without a session.
    #[serde(default)]
    pub closed: Vec<FileDate>,
    /// Sessions on other days of the week.
    #[serde(default)]
    pub extra: Vec<FileDate>,
    /// Sessions whose hours differ from the regular ones. An entry replaces all regular hours: without a break of its
    /// own, the session has no break.
    #[serde(default)]
    pub unusual: Vec<UnusualHours>,
    /// Sessions that are held by some venues only, or in full by some venues only.
    #[serde(default)]
    pub uncertain: Vec<UncertainHours>,
}

// The hours are repeated, because serde cannot reject unknown fields in a struct with a flattened one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegularHours {
    pub from: FileDate,
    /// The days of the week that have these hours; those of the calendar if there are none here.
    days: Option<Vec<FileWeekday>>,
    open: LocalTime,
    close: LocalTime,
    #[serde(rename = "break")]
    break_: Option<(LocalTime, LocalTime)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnusualHours {
    pub dates: Vec<FileDate>,
    open: LocalTime,
    close: LocalTime,
    #[serde(rename = "break")]
    break_: Option<(LocalTime, LocalTime)>,
}

impl RegularHours {
    pub fn hours(&self) -> Hours {
        Hours { open: self.open, close: self.close, break_: self.break_ }
    }
}

impl UnusualHours {
    pub fn hours(&self) -> Hours {
        Hours { open: self.open, close: self.close, break_: self.break_ }
    }
}

/// Sessions that only some venues hold, and the part of them that all venues hold, if there is one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UncertainHours {
    pub dates: Vec<FileDate>,
    pub certain: Option<(LocalTime, LocalTime)>,
}

/// The local times at which a session opens, closes and pauses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hours {
    pub open: LocalTime,
    pub close: LocalTime,
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
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
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
        toml::from_str(text).map_err(|error| InvalidCalendar::at(file, text, error.span(), error.message()))
    }

    /// The compiled-in rules of the time zone. The rules of the machine could be older or newer and yield other
    /// sessions.
    pub fn zone(&self) -> Result<TimeZone, InvalidCalendar> {
        TimeZoneDatabase::bundled().get(&self.timezone).map_err(|error| self.invalid(error))
    }

    /// The entries of the regular hours that are in force on a date.
    fn in_force(&self, date: Date) -> impl Iterator<Item = &RegularHours> {
        let since = self.hours.iter().map(|entry| entry.from).filter(|from| from.0 <= date).max();
        self.hours.iter().filter(move |entry| Some(entry.from) == since)
    }

    /// The regular hours of a date, or `None` if its day of the week has no sessions.
    pub fn regular_hours(&self, date: Date) -> Option<Hours> {
        let is_of = |days: &[FileWeekday]| days.iter().any(|day| Weekday::from(*day) == date.weekday());
        self.in_force(date).find(|entry| is_of(entry.days.as_ref().unwrap_or(&self.days))).map(RegularHours::hours)
    }

    /// The hours of a session for which no others are given, on any day of the week.
    pub fn usual_hours(&self, date: Date) -> Option<Hours> {
        self.regular_hours(date).or_else(|| self.in_force(date).next().map(RegularHours::hours))
    }

    pub fn invalid(&self, reason: impl ToString) -> InvalidCalendar {
        InvalidCalendar::new(&self.code, reason)
    }
}
