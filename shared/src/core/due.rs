//! Decides when the next candle of a series is due, and how late it is: not the age of the last candle counts, but how
//! long the next one has been complete.

use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use crate::core::calendar::Calendar;
use crate::core::interval::Interval;

/// How long a market without a known calendar may be closed continuously: a long weekend and one more day.
const LONGEST_CLOSURE: SignedDuration = SignedDuration::from_hours(5 * 24);

/// The candle after the last one of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// The time of the candle in seconds since 1970, or `None` if no calendar determines it.
    pub stamp: Option<i64>,
    /// When the candle is complete, in seconds since 1970. The source has it from then on.
    pub complete: i64,
}

/// Returns the candle after `last` if it is complete at `now`. Both arguments are seconds since 1970.
///
/// Closed days of the calendar do not count as delay. If no calendar is known, or it ends before `now`, a candle is due
/// one interval and the longest closure of a market after `last`.
#[must_use]
pub fn next_complete(calendar: Option<&Calendar>, interval: Interval, last: i64, now: i64) -> Option<Next> {
    let after_last = last.saturating_add(1)..=now;
    let first_slot = calendar.and_then(|calendar| Some((calendar, calendar.slots(interval, after_last).ok()?.next())));
    let next = match first_slot {
        Some((calendar, stamp)) => {
            let complete = calendar.slot_end(interval, stamp?).ok()??;
            Next { stamp, complete }
        }
        None => {
            let length = interval.seconds().unwrap_or_else(|| max_seconds(interval));
            Next { stamp: None, complete: last.saturating_add(length + LONGEST_CLOSURE.as_secs()) }
        }
    };
    (next.complete <= now).then_some(next)
}

/// The state of a series relative to the time within which candles must arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// No candle is due, or one has been due for a short time only.
    Fresh,
    /// A candle has been due for more than four fifths of the allowed time.
    Due,
    /// A candle has been due for the allowed time or longer.
    Late,
    /// The series has no candles.
    Empty,
}

impl Freshness {
    /// The state in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Due => "due",
            Self::Late => "late",
            Self::Empty => "empty",
        }
    }
}

/// How late a series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The candle that is due, if one is.
    pub next: Option<Next>,
    /// How long it has been due, in seconds: zero if no candle is due, `None` if the series has no candles.
    pub behind: Option<i64>,
    /// The state that follows from `behind`.
    pub freshness: Freshness,
}

/// How late a series is whose last candle has the time `last`.
///
/// Times are in seconds since 1970. `stale_after` is the number of seconds within which a candle must arrive.
#[must_use]
pub fn delay(calendar: Option<&Calendar>, interval: Interval, last: Option<i64>, now: i64, stale_after: i64) -> Delay {
    let Some(last) = last else { return Delay { next: None, behind: None, freshness: Freshness::Empty } };
    let next = next_complete(calendar, interval, last, now);
    let behind = next.map_or(0, |next| now - next.complete);
    let freshness = match behind {
        _ if next.is_none() => Freshness::Fresh,
        _ if behind >= stale_after => Freshness::Late,
        _ if behind.saturating_mul(5) > stale_after.saturating_mul(4) => Freshness::Due,
        _ => Freshness::Fresh,
    };
    Delay { next, behind: Some(behind), freshness }
}

/// The maximum length of a candle of a day or more, in seconds.
fn max_seconds(interval: Interval) -> i64 {
    let days = match interval {
        Interval::Month1 => 31,
        Interval::Week1 => 7,
        _ => 1,
    };
    days * 86_400
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    /// When the candle after the last one was complete.
    fn complete(code: Option<&str>, interval: &str, last: &str, now: &str) -> Option<i64> {
        let calendar = code.map(|code| Calendar::for_mic(code).unwrap().unwrap());
        next_complete(calendar, interval.parse().unwrap(), at(last), at(now)).map(|next| next.complete)
    }

    #[test]
    fn weekends_and_holidays_are_no_delay() {
        // Monday, 2024-09-02, was Labor Day.
        let friday = |now| complete(Some("XNYS"), "1day", "2024-08-30T00:00:00Z", now);
        assert_eq!(friday("2024-09-03T19:59:59Z"), None);
        assert_eq!(friday("2024-09-05T00:00:00Z"), Some(at("2024-09-03T20:00:00Z")));
        let saturday = complete(Some("24/7"), "1day", "2024-08-30T00:00:00Z", "2024-09-03T20:00:00Z");
        assert_eq!(saturday, Some(at("2024-09-01T00:00:00Z")));
    }

    #[test]
    fn an_early_close_counts_from_its_own_hour() {
        // 2024-12-24 closed at 13:00 in New York.
        let eve = complete(Some("XNYS"), "1day", "2024-12-23T00:00:00Z", "2024-12-26T00:00:00Z");
        assert_eq!(eve, Some(at("2024-12-24T18:00:00Z")));
    }

    #[test]
    fn intraday_and_long_candles_are_complete_at_their_own_ends() {
        let hourly = |now| complete(Some("XNYS"), "1h", "2024-12-27T20:30:00Z", now);
        assert_eq!(hourly("2024-12-30T15:29:59Z"), None);
        assert_eq!(hourly("2024-12-30T15:30:00Z"), Some(at("2024-12-30T15:30:00Z")));
        let weekly = complete(Some("XNYS"), "1week", "2024-12-16T00:00:00Z", "2024-12-28T00:00:00Z");
        assert_eq!(weekly, Some(at("2024-12-27T21:00:00Z")));
    }

    #[test]
    fn without_a_calendar_and_beyond_its_end_only_what_no_market_does_is_due() {
        let unknown = |now| complete(None, "1day", "2024-12-20T00:00:00Z", now);
        assert_eq!(unknown("2024-12-25T23:59:59Z"), None);
        assert_eq!(unknown("2024-12-26T00:00:00Z"), Some(at("2024-12-26T00:00:00Z")));
        let beyond = |now| complete(Some("XNYS"), "1day", "2099-12-20T00:00:00Z", now);
        assert_eq!((beyond("2099-12-25T00:00:00Z"), beyond("2099-12-27T00:00:00Z").is_some()), (None, true));
    }

    const STALE_AFTER: i64 = 26 * 3600;

    fn delayed(code: Option<&str>, interval: Interval, last: &str, now: &str) -> (i64, Freshness) {
        let calendar = code.and_then(|code| Calendar::for_mic(code).unwrap());
        let delay = delay(calendar, interval, Some(at(last)), at(now), STALE_AFTER);
        (delay.behind.unwrap(), delay.freshness)
    }

    #[test]
    fn a_weekend_is_no_delay() {
        let friday = "2024-06-07T00:00:00Z";
        assert_eq!(delayed(Some("XNYS"), Interval::Day1, friday, "2024-06-10T19:59:00Z"), (0, Freshness::Fresh));
        // New York closes at 20:00 UTC in summer.
        assert_eq!(delayed(Some("XNYS"), Interval::Day1, friday, "2024-06-10T21:00:00Z"), (3600, Freshness::Fresh));
    }

    #[test]
    fn a_missing_candle_is_due_and_then_late() {
        let friday = |now| delayed(Some("XNYS"), Interval::Day1, "2024-06-07T00:00:00Z", now).1;
        assert_eq!(friday("2024-06-11T18:00:00Z"), Freshness::Due);
        assert_eq!(friday("2024-06-11T21:59:59Z"), Freshness::Due);
        assert_eq!(friday("2024-06-11T22:00:00Z"), Freshness::Late);
    }

    #[test]
    fn minutes_are_due_by_the_minute() {
        let minute = |last, now| delayed(Some("XNYS"), Interval::Min1, last, now);
        assert_eq!(minute("2024-06-07T19:58:00Z", "2024-06-07T20:05:00Z"), (300, Freshness::Fresh));
        assert_eq!(minute("2024-06-07T19:59:00Z", "2024-06-09T12:00:00Z"), (0, Freshness::Fresh));
    }

    #[test]
    fn without_a_calendar_a_long_weekend_is_no_delay() {
        let friday = |now| delayed(None, Interval::Day1, "2024-06-07T00:00:00Z", now);
        assert_eq!(friday("2024-06-12T12:00:00Z"), (0, Freshness::Fresh));
        assert_eq!(friday("2024-06-14T12:00:00Z"), (36 * 3600, Freshness::Late));
    }

    #[test]
    fn a_series_without_candles_is_empty() {
        let delay = delay(None, Interval::Day1, None, 0, STALE_AFTER);
        assert_eq!((delay.behind, delay.freshness), (None, Freshness::Empty));
    }
}
