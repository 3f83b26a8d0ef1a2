//! The intervals of the TwelveData API.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The span of time that one candle covers. Its names are those of the API (`1min` … `1month`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Interval {
    /// `1min`.
    Min1,
    /// `5min`.
    Min5,
    /// `15min`.
    Min15,
    /// `30min`.
    Min30,
    /// `45min`.
    Min45,
    /// `1h`.
    Hour1,
    /// `2h`.
    Hour2,
    /// `4h`.
    Hour4,
    /// `8h`.
    Hour8,
    /// `1day`: one session.
    Day1,
    /// `1week`: the sessions of a calendar week.
    Week1,
    /// `1month`: the sessions of a calendar month.
    Month1,
}

/// The text is not the name of an interval.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("unknown interval {0:?}: use one of 1min 5min 15min 30min 45min 1h 2h 4h 8h 1day 1week 1month")]
pub struct UnknownInterval(String);

impl Interval {
    /// Every interval, from the shortest to the longest.
    pub const ALL: [Self; 12] = [
        Self::Min1,
        Self::Min5,
        Self::Min15,
        Self::Min30,
        Self::Min45,
        Self::Hour1,
        Self::Hour2,
        Self::Hour4,
        Self::Hour8,
        Self::Day1,
        Self::Week1,
        Self::Month1,
    ];

    /// Returns the name in the API and in object keys, such as `1day`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Min1 => "1min",
            Self::Min5 => "5min",
            Self::Min15 => "15min",
            Self::Min30 => "30min",
            Self::Min45 => "45min",
            Self::Hour1 => "1h",
            Self::Hour2 => "2h",
            Self::Hour4 => "4h",
            Self::Hour8 => "8h",
            Self::Day1 => "1day",
            Self::Week1 => "1week",
            Self::Month1 => "1month",
        }
    }

    /// Whether candles are shorter than a session. Intraday candles are stamped with an instant, longer ones with a
    /// date.
    #[must_use]
    pub fn is_intraday(self) -> bool {
        self.seconds().is_some()
    }

    /// Returns the length of an intraday interval in seconds, or `None` for longer ones, whose length depends on the
    /// calendar.
    #[must_use]
    pub fn seconds(self) -> Option<i64> {
        let minutes = match self {
            Self::Min1 => 1,
            Self::Min5 => 5,
            Self::Min15 => 15,
            Self::Min30 => 30,
            Self::Min45 => 45,
            Self::Hour1 => 60,
            Self::Hour2 => 120,
            Self::Hour4 => 240,
            Self::Hour8 => 480,
            Self::Day1 | Self::Week1 | Self::Month1 => return None,
        };
        Some(minutes * 60)
    }
}

impl FromStr for Interval {
    type Err = UnknownInterval;

    fn from_str(text: &str) -> Result<Self, UnknownInterval> {
        let found = Self::ALL.into_iter().find(|interval| interval.as_str() == text);
        found.ok_or_else(|| UnknownInterval(text.to_owned()))
    }
}

impl TryFrom<String> for Interval {
    type Error = UnknownInterval;

    fn try_from(text: String) -> Result<Self, UnknownInterval> {
        text.parse()
    }
}

impl From<Interval> for &'static str {
    fn from(interval: Interval) -> Self {
        interval.as_str()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interval_is_read_back_from_its_name() {
        for interval in Interval::ALL {
            assert_eq!(interval.as_str().parse(), Ok(interval));
        }
    }

    #[test]
    fn another_name_is_refused_with_the_ones_there_are() {
        let error = "5h".parse::<Interval>().unwrap_err().to_string();
        assert!(error.contains("\"5h\"") && error.contains("1month"), "{error}");
    }
}
