//! The form of a file as its owner describes it: the names of its columns, and how its times and numbers are written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use thiserror::Error;

/// The form of a file. Whatever is not set is detected from the file itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The name that the file uses for each column of raw CSV: `open = "Eröffnung"`.
    pub columns: BTreeMap<Column, String>,
    /// The names of all columns, for a file without a header; otherwise empty.
    pub header: Vec<String>,
    /// The strftime format of the times: `%d/%m/%Y`.
    pub date_format: Option<String>,
    /// The IANA name of the time zone of times without an offset.
    pub timezone: Option<String>,
    /// The decimal mark: `.` or `,`.
    pub decimal: Option<char>,
    /// The character between two cells.
    pub delimiter: Option<char>,
    /// Which end of an intraday candle its time is.
    pub stamped: Option<Stamped>,
}

/// Which end of an intraday candle its time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stamped {
    /// The time at which it begins.
    Start,
    /// The time at which it ends, as in the exports of some trading programs.
    End,
}

impl Stamped {
    /// Returns the name that options and metadata use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

/// The name of the format raw CSV. It overrides the format that the watchlist sets for the key.
pub const RAW: &str = "raw";

/// The form that the metadata of an object states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaidForm {
    /// The name of a format that the watchlist defines.
    pub format: Option<String>,
    /// The strftime format of the times.
    pub date_format: Option<String>,
    /// The decimal mark: `.` or `,`.
    pub decimal: Option<char>,
    /// Which end of an intraday candle its time is.
    pub stamped: Option<Stamped>,
}

impl SaidForm {
    /// The form without the settings of the named format, which only the watchlist has.
    #[must_use]
    pub fn form(&self) -> Form {
        let date_format = self.date_format.clone();
        Form { date_format, decimal: self.decimal, stamped: self.stamped, ..Form::default() }
    }
}

/// A column of raw CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// The date, or the date and the time of day.
    Time,
    /// The time of day, in a column separate from the date.
    TimeOfDay,
    /// The first price of the candle.
    Open,
    /// The highest price of the candle.
    High,
    /// The lowest price of the candle.
    Low,
    /// The last price of the candle.
    Close,
    /// The traded volume.
    Volume,
}

/// A setting of a form is invalid.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NoForm {
    /// Not a strftime format.
    #[error("date_format {0:?} is not a format of strftime, such as %d/%m/%Y %H:%M")]
    DateFormat(String),
    /// Not an IANA time zone.
    #[error("timezone {0:?} is not an IANA time zone, such as America/New_York")]
    Timezone(String),
    /// Not a decimal mark.
    #[error("decimal {0:?} is neither \".\" nor \",\"")]
    Decimal(String),
    /// Not an end of a candle.
    #[error("stamped {0:?} is neither \"start\" nor \"end\"")]
    Stamped(String),
    /// Not a single ASCII character.
    #[error("delimiter {0:?} is not one ASCII character")]
    Delimiter(String),
}

impl Form {
    /// Whether nothing is set that decides how cells are read, so that all of that is detected from the file.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self == Self { stamped: self.stamped, ..Self::default() }
    }

    /// Returns this form, with settings of `other` in place of those that are not set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            columns: if self.columns.is_empty() { other.columns } else { self.columns },
            header: if self.header.is_empty() { other.header } else { self.header },
            date_format: self.date_format.or(other.date_format),
            timezone: self.timezone.or(other.timezone),
            decimal: self.decimal.or(other.decimal),
            delimiter: self.delimiter.or(other.delimiter),
            stamped: self.stamped.or(other.stamped),
        }
    }
}

/// Parses a strftime format.
///
/// # Errors
///
/// Fails with [`NoForm::DateFormat`] if the text has an unknown directive, none at all, or a character that is not
/// ASCII.
pub fn date_format(text: &str) -> Result<String, NoForm> {
    let now = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let is_format = text.contains('%') && text.is_ascii() && jiff::fmt::strtime::format(text, &now).is_ok();
    if is_format { Ok(text.to_owned()) } else { Err(NoForm::DateFormat(text.to_owned())) }
}

/// Parses the IANA name of a time zone.
///
/// # Errors
///
/// Fails with [`NoForm::Timezone`] if the time zone database does not have the name.
pub fn timezone(text: &str) -> Result<String, NoForm> {
    TimeZone::get(text).map(|_| text.to_owned()).map_err(|_| NoForm::Timezone(text.to_owned()))
}

/// Parses a decimal mark.
///
/// # Errors
///
/// Fails with [`NoForm::Decimal`] if the text is neither `.` nor `,`.
pub fn decimal(text: &str) -> Result<char, NoForm> {
    match text {
        "." => Ok('.'),
        "," => Ok(','),
        _ => Err(NoForm::Decimal(text.to_owned())),
    }
}

/// Parses which end of an intraday candle its time is.
///
/// # Errors
///
/// Fails with [`NoForm::Stamped`] if the text is neither `start` nor `end`.
pub fn stamped(text: &str) -> Result<Stamped, NoForm> {
    let found = [Stamped::Start, Stamped::End].into_iter().find(|stamped| stamped.as_str() == text);
    found.ok_or_else(|| NoForm::Stamped(text.to_owned()))
}

/// Parses the delimiter of cells.
///
/// # Errors
///
/// Fails with [`NoForm::Delimiter`] if the text is not exactly one ASCII character, or is a quote or a line break.
pub fn delimiter(text: &str) -> Result<char, NoForm> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(delimiter), None) if delimiter.is_ascii() && !matches!(delimiter, '"' | '\n' | '\r') => Ok(delimiter),
        _ => Err(NoForm::Delimiter(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_part_of_a_form_is_refused() {
        assert_eq!(date_format("%d/%m/%Y"), Ok("%d/%m/%Y".to_owned()));
        assert!(date_format("dd/mm/yyyy").is_err() && date_format("%Q%").is_err());
        assert!(timezone("America/New_York").is_ok() && timezone("Mars/Olympus").is_err());
        assert!(decimal(",").is_ok() && decimal(";").is_err());
        assert!(stamped("end").is_ok() && stamped("close").is_err());
        assert!(delimiter("\t").is_ok() && delimiter("\"").is_err() && delimiter("").is_err());
    }

    #[test]
    fn what_one_form_leaves_open_another_one_says() {
        let said = Form { decimal: Some(','), ..Form::default() };
        let wider = Form { decimal: Some('.'), delimiter: Some(';'), ..Form::default() };
        assert_eq!(said.or(wider), Form { decimal: Some(','), delimiter: Some(';'), ..Form::default() });
        assert!(Form::default().is_open());
        let ends = Form { stamped: Some(Stamped::End), ..Form::default() };
        assert!(ends.is_open() && Form::default().or(ends.clone()) == ends);
    }
}
