//! A candle and its time.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, civil};
use thiserror::Error;

use crate::core::decimal::Decimal;
use crate::core::interval::Interval;

/// When a candle opens, in seconds since 1970-01-01T00:00:00Z.
///
/// An intraday candle is stamped with an instant; a daily or longer one with its session's date, kept as that date's
/// midnight in UTC whatever the exchange's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CandleTime(i64);

/// Why a text is no time of a candle.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TimeError {
    /// It is no date and no date with a time of day.
    #[error("not a time: write 2024-12-30 or 2024-12-30 09:30:00")]
    Unreadable,
    /// A daily or longer candle has a time of day: it is not of this interval.
    #[error("a time of day on a candle that is stamped with a date")]
    TimeOfDay,
    /// An intraday candle has a date alone: it is not of this interval.
    #[error("a date alone on a candle that is stamped with a time")]
    DateAlone,
    /// Clocks were put forward over it: that time did not exist.
    #[error("a local time that daylight saving skipped")]
    Skipped,
}

/// A candle: what an instrument did over one interval. Prices are in the instrument's currency, volume in its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candle {
    /// When it opens.
    pub time: CandleTime,
    /// The first price.
    pub open: Decimal,
    /// The highest price.
    pub high: Decimal,
    /// The lowest price.
    pub low: Decimal,
    /// The last price.
    pub close: Decimal,
    /// What was traded; none where the instrument has no volume, which is not the same as nought.
    pub volume: Option<Decimal>,
    /// Whether cleaning put it where the calendar expected one and the source had none.
    pub is_filled: bool,
}

impl CandleTime {
    /// The time with these seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The time of the daily or longer candle with this date.
    #[must_use]
    pub fn from_date(date: Date) -> Self {
        Self(date.to_datetime(civil::Time::midnight()).duration_since(EPOCH).as_secs())
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// The same as a timestamp; none outside the years −9999 to 9999.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        Timestamp::from_second(self.0).ok()
    }

    /// The date it stands on, in UTC; none outside the years −9999 to 9999.
    #[must_use]
    pub fn date(self) -> Option<Date> {
        self.timestamp().map(|instant| Offset::UTC.to_datetime(instant).date())
    }

    /// Reads a time as sources write it: `2024-12-30`, `2024-12-30 09:30:00`, `2024-12-30T14:30:00Z`, `… 09:30`.
    ///
    /// An offset in the text decides; a text with none is local time in `zone`. Where daylight saving makes a local time
    /// happen twice, the first is meant.
    ///
    /// # Errors
    /// [`TimeError`], where it is no time, or not one of this interval's kind.
    pub fn parse(text: &str, interval: Interval, zone: &TimeZone) -> Result<Self, TimeError> {
        if interval.is_intraday() { parse_instant(text, zone) } else { parse_date(text) }
    }

    /// The time as clean CSV has it: RFC 3339 in UTC for intraday candles, the date for daily and longer ones.
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
    /// The candle of a vacant slot behind this one: nothing was traded, so that every price is this one's close.
    #[must_use]
    pub fn filled_at(&self, time: CandleTime) -> Self {
        let price = self.close;
        let volume = self.volume.map(|_| Decimal::ZERO);
        Self { time, open: price, high: price, low: price, close: price, volume, is_filled: true }
    }
}

const EPOCH: DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

/// A date, alone or with midnight behind it, as spreadsheets and pandas write dates.
fn parse_date(text: &str) -> Result<CandleTime, TimeError> {
    if !has_time_of_day(text) {
        let date: Date = text.parse().map_err(|_| TimeError::Unreadable)?;
        return Ok(CandleTime::from_date(date));
    }
    let civil: DateTime = text.parse().map_err(|_| TimeError::Unreadable)?;
    if civil.time() == civil::Time::midnight() {
        Ok(CandleTime::from_date(civil.date()))
    } else {
        Err(TimeError::TimeOfDay)
    }
}

fn parse_instant(text: &str, zone: &TimeZone) -> Result<CandleTime, TimeError> {
    if !has_time_of_day(text) {
        let is_date = text.parse::<Date>().is_ok();
        return Err(if is_date { TimeError::DateAlone } else { TimeError::Unreadable });
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(CandleTime(instant.as_second()));
    }
    let civil: DateTime = text.parse().map_err(|_| TimeError::Unreadable)?;
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
        return Err(TimeError::Skipped);
    }
    let instant = ambiguous.compatible().map_err(|_| TimeError::Unreadable)?;
    Ok(CandleTime(instant.as_second()))
}

fn has_time_of_day(text: &str) -> bool {
    text.contains([':', 'T', 't'])
}

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
        assert_eq!(daily("2024-12-30 09:30:00"), Err(TimeError::TimeOfDay));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "N/A", "2024-02-30", "30/12/2024", "2024-12-30 25:00:00", "T", "1704067200"] {
            assert_eq!(daily(text), Err(TimeError::Unreadable), "{text}");
            assert_eq!(intraday(text, "UTC"), Err(TimeError::Unreadable), "{text}");
        }
        assert_eq!(intraday("2024-12-30", "UTC"), Err(TimeError::DateAlone));
    }
}
