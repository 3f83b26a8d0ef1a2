//! Whether a series has the candles that it must have by now.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use jiff::{SignedDuration, Timestamp};

/// How long a market of which no calendar is known may be closed at a stretch: a long weekend and a day.
const LONGEST_CLOSED: SignedDuration = SignedDuration::from_hours(5 * 24);

/// A candle that must be there by now and is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// What is missing, in words: `the candle of 2024-12-30`.
    pub missing: String,
    /// Since when it is complete, in Unix seconds.
    pub complete: i64,
}

/// The first candle behind `last` that was complete more than `allowance` before `now`; none where all is there, or
/// where the calendar does not reach so far, which is an alert of its own.
///
/// Where no calendar is known, a series counts as late after its interval, the allowance and the longest time that
/// markets are closed.
#[must_use]
pub fn late(
    calendar: Option<&Calendar>,
    interval: Interval,
    last: i64,
    now: Timestamp,
    allowance: SignedDuration,
) -> Option<Late> {
    let complete_by = now.as_second() - allowance.as_secs();
    let (missing, complete) = match calendar {
        Some(calendar) => {
            let next = calendar.slots(interval, last + 1..=complete_by).ok()?.next()?;
            let complete = calendar.slot_end(interval, next).ok()??;
            (format!("the candle of {}", CandleTime::from_seconds(next).display(interval)), complete)
        }
        None => {
            let length = interval.seconds().unwrap_or_else(|| longest(interval));
            ("a newer candle".to_owned(), last + length + LONGEST_CLOSED.as_secs())
        }
    };
    (complete <= complete_by).then_some(Late { missing, complete })
}

/// How long a candle of a day or more may last, in seconds.
fn longest(interval: Interval) -> i64 {
    let days = match interval {
        Interval::Month1 => 31,
        Interval::Week1 => 7,
        _ => 1,
    };
    days * 86_400
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
    fn an_early_close_counts_from_its_own_hour() {
        // 2024-12-24 closed at 13:00 in New York.
        let eve = |now| missing(Some("XNYS"), "1day", "2024-12-23T00:00:00Z", now);
        assert_eq!((eve("2024-12-25T19:59:59Z"), eve("2024-12-25T20:00:00Z").is_some()), (None, true));
    }

    #[test]
    fn intraday_and_long_candles_are_late_by_their_own_ends() {
        let hourly = |now| missing(Some("XNYS"), "1h", "2024-12-27T20:30:00Z", now);
        assert_eq!(hourly("2024-12-31T17:30:00Z"), Some("the candle of 2024-12-30T14:30:00Z".to_owned()));
        assert_eq!(hourly("2024-12-30T20:00:00Z"), None);
        let weekly = |now| missing(Some("XNYS"), "1week", "2024-12-16T00:00:00Z", now);
        assert_eq!((weekly("2024-12-28T00:00:00Z"), weekly("2024-12-29T00:00:00Z").is_some()), (None, true));
    }

    #[test]
    fn without_a_calendar_only_what_no_market_does_is_late() {
        let unknown = |now| missing(None, "1day", "2024-12-20T00:00:00Z", now);
        assert_eq!((unknown("2024-12-27T00:00:00Z"), unknown("2024-12-27T02:00:00Z").is_some()), (None, true));
    }

    #[test]
    fn beyond_the_calendar_nothing_is_said() {
        assert_eq!(missing(Some("XNYS"), "1day", "2099-12-20T00:00:00Z", "2099-12-30T00:00:00Z"), None);
    }
}
