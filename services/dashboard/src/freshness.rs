//! How late a series is: not the age of its last candle, but how long the next one has been due.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::due::next_complete;
use candlewick_shared::core::interval::Interval;
use serde::Serialize;
use utoipa::ToSchema;

/// The state of a series relative to the time within which candles must arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No candle is due, or one has been due for a short time only.
    Fresh,
    /// A candle has been due for more than four fifths of the allowed time.
    Due,
    /// A candle has been due for longer than the allowed time.
    Late,
    /// The series has no candles.
    Empty,
}

impl State {
    /// The state in one word.
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
pub struct Freshness {
    /// How long the next candle has been due, in seconds: zero if no candle is due, `None` if the series has no
    /// candles.
    pub behind: Option<i64>,
    /// The state that follows from `behind`.
    pub state: State,
}

/// How late a series is whose last candle has this stamp.
///
/// Times are in seconds since 1970. `stale_after` is the number of seconds within which a candle must arrive.
pub fn freshness(
    calendar: Option<&Calendar>,
    interval: Interval,
    last: Option<i64>,
    now: i64,
    stale_after: i64,
) -> Freshness {
    let Some(last) = last else { return Freshness { behind: None, state: State::Empty } };
    let behind = next_complete(calendar, interval, last, now).map_or(0, |next| now - next.complete);
    let state = match behind {
        _ if behind > stale_after => State::Late,
        _ if behind.saturating_mul(5) > stale_after.saturating_mul(4) => State::Due,
        _ => State::Fresh,
    };
    Freshness { behind: Some(behind), state }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALE_AFTER: i64 = 26 * 3600;

    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    fn of(calendar: Option<&str>, interval: Interval, last: &str, now: &str) -> (i64, State) {
        let calendar = calendar.and_then(|code| Calendar::for_mic(code).unwrap());
        let freshness = freshness(calendar, interval, Some(at(last)), at(now), STALE_AFTER);
        (freshness.behind.unwrap(), freshness.state)
    }

    #[test]
    fn a_weekend_is_no_delay() {
        let friday = "2024-06-07T00:00:00Z";
        assert_eq!(of(Some("XNYS"), Interval::Day1, friday, "2024-06-10T19:59:00Z"), (0, State::Fresh));
        // New York closes at 20:00 UTC in summer.
        assert_eq!(of(Some("XNYS"), Interval::Day1, friday, "2024-06-10T21:00:00Z"), (3600, State::Fresh));
    }

    #[test]
    fn a_candle_that_stays_away_is_due_and_then_late() {
        let friday = "2024-06-07T00:00:00Z";
        assert_eq!(of(Some("XNYS"), Interval::Day1, friday, "2024-06-11T18:00:00Z").1, State::Due);
        assert_eq!(of(Some("XNYS"), Interval::Day1, friday, "2024-06-11T22:00:01Z").1, State::Late);
    }

    #[test]
    fn minutes_are_due_by_the_minute() {
        let last = "2024-06-07T19:58:00Z";
        assert_eq!(of(Some("XNYS"), Interval::Min1, last, "2024-06-07T20:05:00Z"), (300, State::Fresh));
        let close = "2024-06-07T19:59:00Z";
        assert_eq!(of(Some("XNYS"), Interval::Min1, close, "2024-06-09T12:00:00Z"), (0, State::Fresh));
    }

    #[test]
    fn without_a_calendar_a_long_weekend_is_no_delay() {
        let friday = "2024-06-07T00:00:00Z";
        assert_eq!(of(None, Interval::Day1, friday, "2024-06-12T12:00:00Z"), (0, State::Fresh));
        assert_eq!(of(None, Interval::Day1, friday, "2024-06-14T12:00:00Z"), (36 * 3600, State::Late));
    }

    #[test]
    fn what_has_no_candle_is_empty() {
        assert_eq!(
            freshness(None, Interval::Day1, None, 0, STALE_AFTER),
            Freshness { behind: None, state: State::Empty }
        );
    }
}
