//! Candles and their times.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, civil};
use thiserror::Error;

use crate::core::decimal::Decimal;
use crate::core::interval::Interval;
use crate::core::time_text::TimeText;

/// When a candle opens, in seconds since 1970-01-01T00:00:00Z.
///
/// An intraday candle is stamped with an instant. A daily or longer candle is stamped with the date of its session,
/// stored as midnight UTC of that date regardless of the exchange's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CandleTime(i64);

/// Why a text is not the time of a candle.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TimeError {
    /// The text is neither a date nor a date with a time of day.
    #[error("not a time: write 2024-12-30 or 2024-12-30 09:30:00")]
    Unreadable,
    /// A daily or longer candle has a time of day, so it belongs to another interval.
    #[error("a time of day, but candles of this interval are stamped with a date alone")]
    TimeOfDay,
    /// An intraday candle has a date without a time of day, so it belongs to another interval.
    #[error("a date alone, but candles of this interval are stamped with a date and a time of day")]
    DateAlone,
    /// The local time did not exist, because clocks were moved forward over it.
    #[error("a local time that daylight saving time skipped")]
    Skipped,
}

/// The prices and the volume of an instrument over one interval. Prices are in the instrument's currency and volume is
/// in its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candle {
    /// When the candle opens.
    pub time: CandleTime,
    /// The first price.
    pub open: Decimal,
    /// The highest price.
    pub high: Decimal,
    /// The lowest price.
    pub low: Decimal,
    /// The last price.
    pub close: Decimal,
    /// The traded volume, or `None` if the source has no volume, which differs from a volume of zero.
    pub volume: Option<Decimal>,
    /// Whether cleaning put the candle into a vacant slot.
    pub is_filled: bool,
}

impl CandleTime {
    /// Creates a time from seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Creates the time of a daily or longer candle from its date.
    #[must_use]
    pub fn from_date(date: Date) -> Self {
        Self(date.to_datetime(civil::Time::midnight()).duration_since(EPOCH).as_secs())
    }

    /// Returns the seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Returns the time as a timestamp, or `None` outside the years −9999 to 9999.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        Timestamp::from_second(self.0).ok()
    }

    /// Returns the date in UTC, or `None` outside the years −9999 to 9999.
    #[must_use]
    pub fn date(self) -> Option<Date> {
        self.timestamp().map(|instant| Offset::UTC.to_datetime(instant).date())
    }

    /// Parses a time in one of the forms of [`TimeText`], as sources write it.
    ///
    /// A text without an offset is local time in `zone`. If the end of daylight saving time makes a local time occur
    /// twice, the first occurrence is meant. A daily or longer candle has a date, or midnight in the offset of the
    /// text.
    ///
    /// # Errors
    ///
    /// Returns a [`TimeError`] if the text is not a time or not of the kind that the interval requires.
    pub fn parse(text: &str, interval: Interval, zone: &TimeZone) -> Result<Self, TimeError> {
        match (TimeText::read(text).ok_or(TimeError::Unreadable)?, interval.is_intraday()) {
            (TimeText::Date(_), true) => Err(TimeError::DateAlone),
            (TimeText::Instant(instant, _), true) => Ok(Self(instant.as_second())),
            (TimeText::Local(civil), true) => Self::at_local_time(civil, zone).map(|(first, _)| first),
            (TimeText::Date(date), false) => Ok(Self::from_date(date)),
            (TimeText::Local(civil) | TimeText::Instant(_, civil), false) => {
                match civil.time() == civil::Time::midnight() {
                    true => Ok(Self::from_date(civil.date())),
                    false => Err(TimeError::TimeOfDay),
                }
            }
        }
    }

    /// Converts a local time in a zone. The second result is the later occurrence of a local time that occurs twice
    /// because clocks were moved back over it.
    ///
    /// # Errors
    ///
    /// Returns [`TimeError::Skipped`] if clocks were moved forward over the local time, and [`TimeError::Unreadable`]
    /// if it is outside the supported years.
    pub fn at_local_time(civil: DateTime, zone: &TimeZone) -> Result<(Self, Option<Self>), TimeError> {
        let ambiguous = zone.to_ambiguous_timestamp(civil);
        let at = |offset: Offset| offset.to_timestamp(civil).map(|instant| Self(instant.as_second()));
        let read = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset).map(|time| (time, None)),
            AmbiguousOffset::Fold { before, after } => {
                at(before).and_then(|first| at(after).map(|second| (first, Some(second))))
            }
            AmbiguousOffset::Gap { .. } => return Err(TimeError::Skipped),
        };
        read.map_err(|_| TimeError::Unreadable)
    }

    /// Formats the time as in clean CSV: RFC 3339 in UTC for intraday candles, the date alone for longer ones.
    #[must_use]
    pub fn display(self, interval: Interval) -> impl fmt::Display {
        let text = self.timestamp().map(|instant| {
            if interval.is_intraday() {
                instant.to_string()
            } else {
                Offset::UTC.to_datetime(instant).date().to_string()
            }
        });
        text.unwrap_or_else(|| format!("@{}", self.0))
    }
}

impl Candle {
    /// Creates the candle for a vacant slot after this candle. Nothing was traded there, so every price is this
    /// candle's close, and the volume is zero if this candle has a volume.
    #[must_use]
    pub fn filled_at(&self, time: CandleTime) -> Self {
        let price = self.close;
        let volume = self.volume.map(|_| Decimal::ZERO);
        Self { time, open: price, high: price, low: price, close: price, volume, is_filled: true }
    }
}

const EPOCH: DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn intraday(text: &str, zone_name: &str) -> Result<String, TimeError> {
        let time = CandleTime::parse(text, Interval::Min1, &zone(zone_name))?;
        Ok(time.display(Interval::Min1).to_string())
    }

    fn daily(text: &str) -> Result<String, TimeError> {
        let time = CandleTime::parse(text, Interval::Day1, &TimeZone::UTC)?;
        Ok(time.display(Interval::Day1).to_string())
    }

    #[test]
    fn local_times_become_instants_on_both_sides_of_daylight_saving() {
        assert_eq!(intraday("2024-03-08 09:30:00", "America/New_York").unwrap(), "2024-03-08T14:30:00Z");
        assert_eq!(intraday("2024-03-11T09:30:00", "America/New_York").unwrap(), "2024-03-11T13:30:00Z");
        assert_eq!(intraday("2024-03-10 02:30:00", "America/New_York"), Err(TimeError::Skipped));
        assert_eq!(intraday("2024-11-03 01:30:00", "America/New_York").unwrap(), "2024-11-03T05:30:00Z");
    }

    #[test]
    fn an_offset_in_the_text_decides() {
        assert_eq!(intraday("2024-03-08T14:30:00Z", "Asia/Tokyo").unwrap(), "2024-03-08T14:30:00Z");
        assert_eq!(intraday("2024-03-08 09:30:00-05:00", "UTC").unwrap(), "2024-03-08T14:30:00Z");
    }

    #[test]
    fn a_daily_candle_has_a_date_and_no_time_of_day() {
        assert_eq!(daily("2024-12-30").unwrap(), "2024-12-30");
        assert_eq!(daily("2024-12-30 00:00:00").unwrap(), "2024-12-30");
        assert_eq!(daily("1969-12-31").unwrap(), "1969-12-31");
        for text in ["2024-12-30 09:30:00", "2024-12-30 14", "20241230 093000", "2024-12-30T05:00:00Z", "1735569000"] {
            assert_eq!(daily(text), Err(TimeError::TimeOfDay), "{text}");
        }
        for text in ["2024-12-30T00:00:00.000Z", "2024-12-30 00:00:00-05:00", "20241230", "1735516800"] {
            assert_eq!(daily(text).unwrap(), "2024-12-30", "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "N/A", "2024-02-30", "30/12/2024", "2024-12-30 25:00:00", "T"] {
            assert_eq!(daily(text), Err(TimeError::Unreadable), "{text}");
            assert_eq!(intraday(text, "UTC"), Err(TimeError::Unreadable), "{text}");
        }
        assert_eq!(intraday("2024-12-30", "UTC"), Err(TimeError::DateAlone));
    }
}
