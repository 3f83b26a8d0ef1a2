//! How the candle of a day, a week or a month is stamped: as TwelveData does it. Only `first_day` decides this.

use jiff::SignedDuration;
use jiff::civil::{Date, date};

use crate::core::interval::Interval;

/// The length of a day in UTC, in seconds.
pub(super) const DAY: i64 = 24 * 60 * 60;

/// The date that stamps count from.
const EPOCH: Date = date(1970, 1, 1);

/// The time that a candle of one day or longer covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Week,
    Month,
}

/// The first and the last date of a period as stamps, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub first: i64,
    pub last: i64,
}

impl Period {
    /// The period of an interval, which must be at least one day.
    pub fn of(interval: Interval) -> Self {
        match interval {
            Interval::Week1 => Period::Week,
            Interval::Month1 => Period::Month,
            _ => Period::Day,
        }
    }

    /// The stamp of the candle that covers a date. It depends on weeks and months only, not on the sessions in them.
    ///
    /// A week is stamped with its Monday, even if the market was closed on that Monday: TwelveData's weekly candles
    /// of GOOG are 2025-09-15, 2025-09-08 and 2025-09-01, and the last one is Labor Day. A month is stamped with its
    /// first day, whatever weekday that is: the monthly candle of SPX for January 2006 is stamped 2006-01-01, a
    /// Sunday.
    fn first_day(self, date: Date) -> i64 {
        match self {
            Period::Day => midnight(date),
            Period::Week => midnight(date) - i64::from(date.weekday().to_monday_zero_offset()) * DAY,
            Period::Month => midnight(date.first_of_month()),
        }
    }

    /// The dates of the period that contains `date`.
    pub fn around(self, date: Date) -> Span {
        let first = self.first_day(date);
        let last = match self {
            Period::Day => first,
            Period::Week => first + 6 * DAY,
            Period::Month => midnight(date.last_of_month()),
        };
        Span { first, last }
    }
}

/// The date that stamps the daily, weekly or monthly candle of `date`. `interval` must be at least one day.
#[must_use]
pub fn first_date(interval: Interval, date: Date) -> Date {
    date_of(Period::of(interval).around(date).first)
}

/// The last date that the candle with this stamp (Unix seconds) covers. `interval` must be at least one day.
#[must_use]
pub fn last_date(interval: Interval, stamp: i64) -> Date {
    date_of(Period::of(interval).around(date_of(stamp)).last)
}

/// The stamp of a date: midnight in UTC, in Unix seconds.
pub(super) fn midnight(date: Date) -> i64 {
    date.duration_since(EPOCH).as_secs()
}

/// The date that contains a stamp. A stamp outside of the range of dates becomes the nearest date, which no calendar
/// covers either.
pub(super) fn date_of(stamp: i64) -> Date {
    let days = stamp.div_euclid(DAY);
    EPOCH.saturating_add(SignedDuration::from_secs(days.saturating_mul(DAY)))
}
