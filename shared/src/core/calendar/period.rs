//! How TwelveData stamps the candle of a day, a week or a month: the decision is in `first_day`, and nowhere else.

use jiff::SignedDuration;
use jiff::civil::{Date, date};

use crate::core::interval::Interval;

/// The seconds of a day in UTC.
pub(super) const DAY: i64 = 24 * 60 * 60;

/// The date from which stamps are counted.
const EPOCH: Date = date(1970, 1, 1);

/// What a candle of a day or longer covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Week,
    Month,
}

/// A period's dates as stamps, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub first: i64,
    pub last: i64,
}

impl Period {
    /// `interval` is not shorter than a day.
    pub fn of(interval: Interval) -> Self {
        match interval {
            Interval::Week1 => Period::Week,
            Interval::Month1 => Period::Month,
            _ => Period::Day,
        }
    }

    /// The stamp of the candle that covers a date, by the calendar of weeks and months and not by the sessions in them.
    ///
    /// A week has the date of its Monday, and keeps it when the market was closed on that Monday: TwelveData's weekly
    /// candles of GOOG go 2025-09-15, 2025-09-08, 2025-09-01, the last of which is Labor Day. A month has its first
    /// day, whatever day that is: monthly candles of SPX are stamped 2006-01-01, a Sunday.
    fn first_day(self, date: Date) -> i64 {
        match self {
            Period::Day => midnight(date),
            Period::Week => midnight(date) - i64::from(date.weekday().to_monday_zero_offset()) * DAY,
            Period::Month => midnight(date.first_of_month()),
        }
    }

    /// The dates of the period that holds `date`.
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

/// The date with which the candle of the day, week or month of a date is stamped; `interval` is not shorter than a day.
#[must_use]
pub fn first_date(interval: Interval, date: Date) -> Date {
    date_of(Period::of(interval).around(date).first)
}

/// The last date that a candle of a day, a week or a month covers; `interval` is not shorter than a day.
#[must_use]
pub fn last_date(interval: Interval, stamp: i64) -> Date {
    date_of(Period::of(interval).around(date_of(stamp)).last)
}

/// A date as candles have it: midnight in UTC, in Unix seconds.
pub(super) fn midnight(date: Date) -> i64 {
    date.duration_since(EPOCH).as_secs()
}

/// The date in which a stamp falls. A stamp beyond all dates becomes the nearest one, which is outside of every
/// calendar too.
pub(super) fn date_of(stamp: i64) -> Date {
    let days = stamp.div_euclid(DAY);
    EPOCH.saturating_add(SignedDuration::from_secs(days.saturating_mul(DAY)))
}
