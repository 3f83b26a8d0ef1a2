//! The setting of how far back candles are fetched.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::Deserialize;
use thiserror::Error;

/// How far back candles are fetched: a number of years before today, or a first date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum History {
    /// A number of years, 1 to 100.
    Years(u16),
    /// The first date.
    Since(Date),
}

/// The value is neither a number of years nor a date.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("invalid history {0}: write a number of years from 1 to 100, such as 5, or a first date such as 2015-01-01")]
pub struct InvalidHistory(String);

impl Default for History {
    /// Five years.
    fn default() -> Self {
        Self::Years(5)
    }
}

impl History {
    /// Returns the first date of a history that ends before `until`.
    #[must_use]
    pub fn first_date(self, until: Date) -> Date {
        match self {
            Self::Years(years) => until.checked_sub(Span::new().years(years)).unwrap_or(Date::MIN),
            Self::Since(date) => date.min(until.checked_sub(1.day()).unwrap_or(Date::MIN)),
        }
    }
}

impl TryFrom<toml::Value> for History {
    type Error = InvalidHistory;

    fn try_from(value: toml::Value) -> Result<Self, InvalidHistory> {
        let invalid = || InvalidHistory(value.to_string());
        let since = |text: &str| text.parse().map(Self::Since).map_err(|_| invalid());
        match &value {
            toml::Value::Integer(years @ 1..=100) => u16::try_from(*years).map(Self::Years).map_err(|_| invalid()),
            toml::Value::String(text) => since(text),
            toml::Value::Datetime(time) if time.time.is_none() => since(&time.to_string()),
            _ => Err(invalid()),
        }
    }
}

impl std::fmt::Display for History {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Years(1) => formatter.write_str("1 year"),
            Self::Years(years) => write!(formatter, "{years} years"),
            Self::Since(date) => write!(formatter, "since {date}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_years_before_its_end_or_at_its_date() {
        let until: Date = "2024-02-29".parse().unwrap();
        assert_eq!(History::Years(1).first_date(until), "2023-02-28".parse().unwrap());
        assert_eq!(History::Since("2015-01-01".parse().unwrap()).first_date(until), "2015-01-01".parse().unwrap());
        let later = History::Since("2030-01-01".parse().unwrap());
        assert_eq!(later.first_date(until), "2024-02-28".parse().unwrap(), "an end before its beginning is no window");
    }
}
