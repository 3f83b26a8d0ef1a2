//! Decides whether a series has all candles that it should have by now.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::due::next_complete;
use candlewick_shared::core::interval::Interval;
use jiff::{SignedDuration, Timestamp};

/// A candle that should exist by now and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// What is missing, for example `the candle of 2024-12-30`.
    pub missing: String,
    /// When it was complete, in Unix seconds.
    pub complete: i64,
}

/// The first candle after `last` that was complete more than `allowance` before `now`; `None` if there is none.
pub fn late(
    calendar: Option<&Calendar>,
    interval: Interval,
    last: i64,
    now: Timestamp,
    allowance: SignedDuration,
) -> Option<Late> {
    let next = next_complete(calendar, interval, last, now.as_second() - allowance.as_secs())?;
    let candle = |stamp| format!("the candle of {}", CandleTime::from_seconds(stamp).display(interval));
    let missing = next.stamp.map_or_else(|| "a newer candle".to_owned(), candle);
    Some(Late { missing, complete: next.complete })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: SignedDuration = SignedDuration::from_hours(26);

    fn missing(calendar: Option<&str>, interval: &str, last: &str, now: &str) -> Option<String> {
        let calendar = calendar.map(|mic| Calendar::for_mic(mic).unwrap().unwrap());
        let last = last.parse::<Timestamp>().unwrap().as_second();
        late(calendar, interval.parse().unwrap(), last, now.parse().unwrap(), ALLOWANCE).map(|late| late.missing)
    }

    #[test]
    fn a_session_that_ended_and_was_not_fetched_in_its_time_is_missing() {
        let friday = |now| missing(Some("XNYS"), "1day", "2024-12-27T00:00:00Z", now);
        // Monday's session closes at 21:00 in UTC.
        assert_eq!(friday("2024-12-31T22:59:59Z"), None);
        assert_eq!(friday("2024-12-31T23:00:00Z"), Some("the candle of 2024-12-30".to_owned()));
    }

    #[test]
    fn weekends_and_holidays_are_no_delay() {
        assert_eq!(missing(Some("XNYS"), "1day", "2024-08-30T00:00:00Z", "2024-09-03T20:00:00Z"), None);
        assert_eq!(
            missing(Some("24/7"), "1day", "2024-08-30T00:00:00Z", "2024-09-03T20:00:00Z"),
            Some("the candle of 2024-08-31".to_owned())
        );
    }

    #[test]
    fn without_a_calendar_only_what_no_market_does_is_late() {
        let unknown = |now| missing(None, "1day", "2024-12-20T00:00:00Z", now);
        assert_eq!((unknown("2024-12-27T00:00:00Z"), unknown("2024-12-27T02:00:00Z").is_some()), (None, true));
    }
}
