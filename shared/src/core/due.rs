//! Decides when the next candle of a series is due.

use jiff::SignedDuration;

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
}
