//! Compares the candles that a calendar expects in each session with those that are present.

use std::collections::BTreeMap;

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::calendar::error::BeyondHorizon;
use candlewick_shared::core::interval::Interval;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

/// The expected and actual candles of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionCount {
    /// The date in the market's time zone.
    #[schema(value_type = String, example = "2024-12-30")]
    pub date: Date,
    /// The number of expected candles. Candles of hours in which only some venues trade are expected only if present.
    pub expected: u32,
    /// The number of present candles, including filled ones.
    pub actual: u32,
    /// The number of candles that cleaning filled in.
    pub filled: u32,
}

/// Per date, the numbers of candles and of those that cleaning filled in.
pub type Actual = BTreeMap<Date, (u32, u32)>;

/// The sessions of a range, ascending, counting only slots that have ended by now. For daily and longer candles, the
/// date is that of the stamp.
pub fn sessions(
    calendar: &'static Calendar,
    interval: Interval,
    from: i64,
    now: i64,
    actual: &Actual,
) -> Result<Vec<SessionCount>, BeyondHorizon> {
    let zone = TimeZone::get(zone_name(Some(calendar), interval)).unwrap_or(TimeZone::UTC);
    // Per date, the numbers of required and of possible candles: on some days only some venues trade.
    let mut counts: BTreeMap<Date, (u32, u32)> = BTreeMap::new();
    let is_over = |slot: &i64| calendar.slot_end(interval, *slot).is_ok_and(|end| end.is_some_and(|end| end <= now));
    for slot in calendar.slots(interval, from..=now)?.filter(is_over) {
        counts.entry(date(slot, &zone)).or_default().0 += 1;
    }
    for slot in calendar.possible_slots(interval, from..=now)?.filter(is_over) {
        counts.entry(date(slot, &zone)).or_default().1 += 1;
    }
    let session = |(date, (expected, possible)): (Date, (u32, u32))| {
        let (actual, filled) = actual.get(&date).copied().unwrap_or_default();
        let expected = actual.clamp(expected, possible.max(expected));
        (expected > 0).then_some(SessionCount { date, expected, actual, filled })
    };
    Ok(counts.into_iter().filter_map(session).collect())
}

/// The name of the time zone of the dates by which candles are counted: the market's own for intraday candles, UTC for
/// those that are stamped with a date.
pub fn zone_name(calendar: Option<&'static Calendar>, interval: Interval) -> &'static str {
    calendar.filter(|_| interval.is_intraday()).map_or("UTC", Calendar::timezone)
}

fn date(stamp: i64, zone: &TimeZone) -> Date {
    zone.to_datetime(Timestamp::from_second(stamp).unwrap_or_default()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn of(interval: Interval, from: &str, now: &str, actual: &[(&str, u32, u32)]) -> Vec<(String, u32, u32, u32)> {
        counted("XNYS", interval, from, now, actual)
    }

    fn counted(
        code: &str,
        interval: Interval,
        from: &str,
        now: &str,
        actual: &[(&str, u32, u32)],
    ) -> Vec<(String, u32, u32, u32)> {
        let actual = actual.iter().map(|(date, all, filled)| (date.parse().unwrap(), (*all, *filled))).collect();
        let calendar = Calendar::for_mic(code).unwrap().unwrap();
        let sessions = sessions(calendar, interval, at(from), at(now), &actual).unwrap();
        let said =
            |session: &SessionCount| (session.date.to_string(), session.expected, session.actual, session.filled);
        sessions.iter().map(said).collect()
    }

    #[test]
    fn each_session_is_held_to_its_calendar() {
        // The third of July closes early, and the fourth is a holiday.
        let days = of(
            Interval::Hour1,
            "2024-07-02T00:00:00Z",
            "2024-07-05T23:00:00Z",
            &[("2024-07-02", 7, 0), ("2024-07-03", 4, 1), ("2024-07-05", 3, 0)],
        );
        let expected = [
            ("2024-07-02".to_owned(), 7, 7, 0),
            ("2024-07-03".to_owned(), 4, 4, 1),
            ("2024-07-05".to_owned(), 7, 3, 0),
        ];
        assert_eq!(days, expected);
    }

    #[test]
    fn a_holiday_on_which_only_some_venues_trade_is_neither_missing_nor_in_excess() {
        let from = "2024-12-24T00:00:00Z";
        let now = "2024-12-27T00:00:00Z";
        let dates = |actual| counted("forex", Interval::Day1, from, now, actual);
        let without = dates(&[("2024-12-24", 1, 0), ("2024-12-26", 1, 0)]);
        assert_eq!(without.iter().map(|(date, ..)| &date[8..]).collect::<Vec<_>>(), ["24", "26"]);
        let with = dates(&[("2024-12-24", 1, 0), ("2024-12-25", 1, 0), ("2024-12-26", 1, 0)]);
        assert!(with.iter().all(|(_, expected, actual, filled)| (expected, *filled) == (actual, 0)), "{with:?}");
        assert_eq!(with.len(), 3);
    }

    #[test]
    fn a_session_that_is_not_over_is_not_expected() {
        let days = of(Interval::Day1, "2024-07-02T00:00:00Z", "2024-07-03T12:00:00Z", &[]);
        assert_eq!(days, [("2024-07-02".to_owned(), 1, 0, 0)]);
    }
}
