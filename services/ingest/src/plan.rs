//! Which requests a series needs: windows of time, and the object that each belongs to.

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::{Month, Part};
use jiff::civil::Date;
use jiff::{Span, Timestamp, ToSpan};

/// The most candles that one answer has.
pub const MOST_CANDLES: i64 = 5000;

/// How far back the store reaches, in years.
const YEARS: i16 = 5;

/// One raw object, and the windows that make it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The part of the series.
    pub part: Part,
    /// The windows, ascending; they touch and do not overlap.
    pub windows: Vec<Window>,
}

/// A span of dates, in UTC for intraday candles and in the exchange's time zone for the longer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first date.
    pub from: Date,
    /// The date behind the last one.
    pub until: Date,
}

/// All that the last five years of a series need.
///
/// Daily and longer: one request for everything. Intraday: an object a month, each from as many requests as keep an
/// answer under [`MOST_CANDLES`].
#[must_use]
pub fn history(interval: Interval, now: Timestamp) -> Vec<Fetch> {
    // East of UTC the day has begun already: what is dated tomorrow there may be a candle of today.
    let until = moved(now.to_zoned(jiff::tz::TimeZone::UTC).date(), 2.days());
    let from = moved(until, YEARS.years().days(2).negate());
    let Some(seconds) = interval.seconds() else {
        return vec![Fetch { part: Part::Whole, windows: vec![Window { from, until }] }];
    };
    let days = (MOST_CANDLES * seconds / 86_400).clamp(1, 31);
    months(from, until).map(|(month, whole)| Fetch { part: Part::Month(month), windows: split(whole, days) }).collect()
}

fn moved(date: Date, by: Span) -> Date {
    date.checked_add(by).unwrap_or(date)
}

/// The months that a span touches, each with its share of the span.
fn months(from: Date, until: Date) -> impl Iterator<Item = (Month, Window)> {
    let firsts = std::iter::successors(Some(from.first_of_month()), |first| first.checked_add(1.month()).ok());
    firsts.take_while(move |first| *first < until).map(move |first| {
        let window = Window { from: first.max(from), until: moved(first, 1.month()).min(until) };
        (Month::of(first), window)
    })
}

fn split(whole: Window, days: i64) -> Vec<Window> {
    let starts = std::iter::successors(Some(whole.from), move |start| start.checked_add(days.days()).ok());
    let window = |from: Date| Window { from, until: moved(from, days.days()).min(whole.until) };
    starts.take_while(|start| *start < whole.until).map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(interval: Interval) -> Vec<Fetch> {
        history(interval, "2024-12-30T22:00:00Z".parse().unwrap())
    }

    #[test]
    fn days_are_one_request_that_reaches_beyond_today() {
        let [fetch] = &plan(Interval::Day1)[..] else { panic!("more than one object") };
        assert_eq!(fetch.part, Part::Whole);
        assert_eq!(
            fetch.windows,
            [Window { from: "2019-12-30".parse().unwrap(), until: "2025-01-01".parse().unwrap() }]
        );
    }

    #[test]
    fn minutes_are_an_object_a_month_of_windows_that_touch() {
        let plan = plan(Interval::Min1);
        assert_eq!(plan.len(), 61, "December 2019 to December 2024");
        let windows: Vec<_> = plan.iter().flat_map(|fetch| &fetch.windows).collect();
        assert!(windows.windows(2).all(|pair| pair[0].until == pair[1].from));
        assert!(windows.iter().all(|window| (window.until - window.from).get_days() <= 3));
        assert_eq!(windows.last().unwrap().until, "2025-01-01".parse().unwrap());
    }

    #[test]
    fn longer_intraday_candles_need_one_request_a_month() {
        assert!(plan(Interval::Hour1).iter().all(|fetch| fetch.windows.len() == 1));
    }
}
