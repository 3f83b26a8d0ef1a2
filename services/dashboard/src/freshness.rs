//! How far behind a series is: not how old its last candle is, but how long the next one has been due.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::interval::Interval;
use serde::Serialize;
use utoipa::ToSchema;

/// How a series stands against the time in which its candles must arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is due, or not for long.
    Fresh,
    /// More than four fifths of the time are gone.
    Due,
    /// The time is over.
    Late,
    /// It has no candle at all.
    Empty,
}

impl State {
    /// The state in a word.
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

/// How a series stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// How long the next candle has been due, in seconds; nought where none is, none where there is no candle at all.
    pub behind: Option<i64>,
    /// What that means.
    pub state: State,
}

/// How a series stands whose last candle has this stamp. A weekend is no delay where a calendar says so; with no calendar,
/// or beyond its end, a candle is expected for each length of the interval.
///
/// Times are seconds since 1970, `stale_after` is the seconds in which a candle must arrive.
#[must_use]
pub fn freshness(
    calendar: Option<&Calendar>,
    interval: Interval,
    last: Option<i64>,
    now: i64,
    stale_after: i64,
) -> Freshness {
    let Some(last) = last else { return Freshness { behind: None, state: State::Empty } };
    let next_complete = calendar
        .and_then(|calendar| next_complete(calendar, interval, last, now))
        .unwrap_or_else(|| Some(last.saturating_add(2 * length(interval))));
    let behind = next_complete.map_or(0, |complete| now.saturating_sub(complete).max(0));
    let state = match behind {
        _ if behind > stale_after => State::Late,
        _ if behind.saturating_mul(5) > stale_after.saturating_mul(4) => State::Due,
        _ => State::Fresh,
    };
    Freshness { behind: Some(behind), state }
}

/// When the candle behind the last one was complete: the inner none where none is to come before now, the outer one where
/// the calendar does not reach so far.
fn next_complete(calendar: &Calendar, interval: Interval, last: i64, now: i64) -> Option<Option<i64>> {
    let next = calendar.slots(interval, last.saturating_add(1)..=now.max(last + 1)).ok()?.next();
    let Some(next) = next else { return Some(None) };
    calendar.slot_end(interval, next).ok()
}

/// How long a candle is, in seconds, where no calendar says it.
fn length(interval: Interval) -> i64 {
    const DAY: i64 = 86_400;
    interval.seconds().unwrap_or(match interval {
        Interval::Week1 => 7 * DAY,
        Interval::Month1 => 31 * DAY,
        _ => DAY,
    })
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
    fn without_a_calendar_every_day_counts() {
        let saturday_and_sunday = of(None, Interval::Day1, "2024-06-07T00:00:00Z", "2024-06-10T12:00:00Z");
        assert_eq!(saturday_and_sunday, (36 * 3600, State::Late));
    }

    #[test]
    fn what_has_no_candle_is_empty() {
        assert_eq!(
            freshness(None, Interval::Day1, None, 0, STALE_AFTER),
            Freshness { behind: None, state: State::Empty }
        );
    }
}
