//! What an owner says of the form of a file: how its columns are called, and how its times and numbers are written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use thiserror::Error;

/// The form of a file. Where it says nothing, the file itself tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The file's name of a column, by the column of raw CSV: `open = "Eröffnung"`.
    pub columns: BTreeMap<Column, String>,
    /// The names of all columns, of a file without a header.
    pub header: Vec<String>,
    /// How times are written, in the terms of strftime: `%d/%m/%Y`.
    pub date_format: Option<String>,
    /// The zone of times that name no offset, an IANA name.
    pub timezone: Option<String>,
    /// The mark of decimals: a point or a comma.
    pub decimal: Option<char>,
    /// What separates cells.
    pub delimiter: Option<char>,
}

/// The name of the format that raw CSV has, whatever else the watchlist says of its key.
pub const RAW: &str = "raw";

/// What is said beside an object of its form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaidForm {
    /// The name of a format in the watchlist.
    pub format: Option<String>,
    /// How times are written.
    pub date_format: Option<String>,
    /// The mark of decimals.
    pub decimal: Option<char>,
}

impl SaidForm {
    /// The form, without that of the format in the watchlist.
    #[must_use]
    pub fn form(&self) -> Form {
        Form { date_format: self.date_format.clone(), decimal: self.decimal, ..Form::default() }
    }
}

/// A column that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// The date, or all of the time.
    Time,
    /// The time of day.
    TimeOfDay,
    /// The first price.
    Open,
    /// The highest price.
    High,
    /// The lowest price.
    Low,
    /// The last price.
    Close,
    /// What was traded.
    Volume,
}

/// Why a form is none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NoForm {
    /// The format of times is none.
    #[error("date_format {0:?} is not a format of strftime, such as %d/%m/%Y %H:%M")]
    DateFormat(String),
    /// The zone is none.
    #[error("timezone {0:?} is not an IANA time zone, such as America/New_York")]
    Timezone(String),
    /// The mark is none.
    #[error("decimal {0:?} is neither \".\" nor \",\"")]
    Decimal(String),
    /// The separator is none.
    #[error("delimiter {0:?} is not one ASCII character")]
    Delimiter(String),
}

impl Form {
    /// Whether it says nothing, so that only the file itself tells.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// This, and another one's word where this says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            columns: if self.columns.is_empty() { other.columns } else { self.columns },
            header: if self.header.is_empty() { other.header } else { self.header },
            date_format: self.date_format.or(other.date_format),
            timezone: self.timezone.or(other.timezone),
            decimal: self.decimal.or(other.decimal),
            delimiter: self.delimiter.or(other.delimiter),
        }
    }
}

/// Reads a format of times.
///
/// # Errors
/// [`NoForm::DateFormat`], where it has an unknown directive or no date in it.
pub fn date_format(text: &str) -> Result<String, NoForm> {
    let now = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let is_format = text.contains('%') && text.is_ascii() && jiff::fmt::strtime::format(text, &now).is_ok();
    if is_format { Ok(text.to_owned()) } else { Err(NoForm::DateFormat(text.to_owned())) }
}

/// Reads a time zone's name.
///
/// # Errors
/// [`NoForm::Timezone`].
pub fn timezone(text: &str) -> Result<String, NoForm> {
    TimeZone::get(text).map(|_| text.to_owned()).map_err(|_| NoForm::Timezone(text.to_owned()))
}

/// Reads a mark of decimals.
///
/// # Errors
/// [`NoForm::Decimal`].
pub fn decimal(text: &str) -> Result<char, NoForm> {
    match text {
        "." => Ok('.'),
        "," => Ok(','),
        _ => Err(NoForm::Decimal(text.to_owned())),
    }
}

/// Reads what separates cells.
///
/// # Errors
/// [`NoForm::Delimiter`].
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
        assert!(delimiter("\t").is_ok() && delimiter("\"").is_err() && delimiter("").is_err());
    }

    #[test]
    fn what_one_form_leaves_open_another_one_says() {
        let said = Form { decimal: Some(','), ..Form::default() };
        let wider = Form { decimal: Some('.'), delimiter: Some(';'), ..Form::default() };
        assert_eq!(said.or(wider), Form { decimal: Some(','), delimiter: Some(';'), ..Form::default() });
        assert!(Form::default().is_open());
    }
}
