//! Predicts how cleaning will judge a row: whether it is a candle, was complete, and has a slot in the calendar.

use candlewick_shared::core::calendar::choice::Choice;
use candlewick_shared::core::calendar::{Calendar, last_date};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::raw_csv::SourceRow;
use candlewick_shared::core::watchlist::CleaningSettings;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// How far binary rounding may put a price outside its range, as a share of the price.
const NOISE: f64 = 1e-9;

/// Spellings of a missing volume.
const NO_VOLUME: [&str; 8] = ["", "nan", "null", "none", "n/a", "na", "-", "-1"];

/// The rules for the rows of a series.
#[derive(Clone, Debug)]
pub struct Rules {
    pub interval: Interval,
    pub calendar: Option<&'static Calendar>,
    /// The zone in which a date ends if there is no calendar.
    pub zone: TimeZone,
    /// Whether prices of zero or less are possible.
    pub allow_negative: bool,
}

impl Rules {
    /// The rules for an instrument, from the source's description and the owner's settings.
    pub fn new(interval: Interval, instrument: &Instrument, settings: &CleaningSettings) -> Self {
        let Choice { calendar, .. } = settings.choose_calendar(instrument);
        let zone = instrument.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
        let zone = zone.filter(|_| !interval.is_intraday()).unwrap_or(TimeZone::UTC);
        Self { interval, calendar, zone, allow_negative: settings.allow_negative }
    }

    /// The time of a row in Unix seconds, if it is a valid time of this interval. Intraday rows are in UTC.
    pub fn stamp(&self, row: &SourceRow) -> Option<i64> {
        CandleTime::parse(&row.datetime, self.interval, &TimeZone::UTC).ok().map(CandleTime::seconds)
    }

    /// Whether a row can become a candle: nothing in it is missing or impossible.
    pub fn is_candle(&self, row: &SourceRow) -> bool {
        let prices = row.prices.iter().map(|price| price.parse::<Decimal>().ok());
        let Some(prices) = prices.collect::<Option<Vec<_>>>() else { return false };
        let is_possible = self.allow_negative || prices.iter().all(|price| price.is_positive());
        is_possible && self.stamp(row).is_some() && is_in_range(&row.prices) && is_volume(row.volume.as_deref())
    }

    /// Whether the candle at `stamp` was complete at `at`, so that cleaning did not drop it as provisional.
    pub fn is_complete(&self, stamp: i64, at: Timestamp) -> bool {
        let known = self.calendar.and_then(|calendar| calendar.slot_end(self.interval, stamp).ok().flatten());
        let end = known.or_else(|| match self.interval.seconds() {
            Some(length) => stamp.checked_add(length),
            None => self.midnight_after(stamp),
        });
        end.is_some_and(|end| end <= at.as_second())
    }

    fn midnight_after(&self, stamp: i64) -> Option<i64> {
        let next = last_date(self.interval, stamp).tomorrow().ok()?.to_datetime(Time::midnight());
        self.zone.to_ambiguous_timestamp(next).compatible().ok().map(|instant| instant.as_second())
    }

    /// Whether the calendar has a slot at `stamp`. Times that no calendar covers count as expected.
    pub fn is_expected(&self, stamp: i64) -> bool {
        self.calendar.is_none_or(|calendar| calendar.is_slot(self.interval, stamp).unwrap_or(true))
    }
}

fn is_in_range(prices: &[String; 4]) -> bool {
    let [Ok(open), Ok(high), Ok(low), Ok(close)] = prices.each_ref().map(|price| price.parse::<f64>()) else {
        return false;
    };
    let noise = high.abs() * NOISE;
    low <= open.min(close) + noise && high + noise >= open.max(close) && low <= high + noise
}

fn is_volume(volume: Option<&str>) -> bool {
    let Some(volume) = volume.map(str::trim) else { return true };
    let is_missing = NO_VOLUME.iter().any(|missing| missing.eq_ignore_ascii_case(volume));
    is_missing || volume.parse::<Decimal>().is_ok_and(|volume| !volume.is_negative())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(interval: &str, mic: Option<&str>) -> Rules {
        let instrument = Instrument {
            calendar: mic.map(str::to_owned),
            timezone: Some("America/New_York".to_owned()),
            ..Instrument::default()
        };
        Rules::new(interval.parse().unwrap(), &instrument, &CleaningSettings::default())
    }

    fn row(datetime: &str, prices: [&str; 4], volume: Option<&str>) -> SourceRow {
        let prices = prices.map(str::to_owned);
        let volume = volume.map(str::to_owned);
        SourceRow { datetime: datetime.to_owned(), prices, volume, fetched_at: None }
    }

    #[test]
    fn what_cleaning_quarantines_is_no_candle() {
        let daily = rules("1day", None);
        let good = ["10", "11.5", "9.5", "11"];
        assert!(daily.is_candle(&row("2024-12-27", good, Some("100"))));
        for volume in [None, Some(""), Some("NaN"), Some("-1"), Some("1.5")] {
            assert!(daily.is_candle(&row("2024-12-27", good, volume)), "{volume:?}");
        }
        // The deviation of 3e-14 comes from the rounding of floats.
        assert!(daily.is_candle(&row("2024-12-27", ["10.00000000000003", "10", "9", "10"], None)));
        for (time, prices, volume) in [
            ("2024-12-27", ["", "", "", ""], Some("100")),
            ("2024-12-27", ["0", "0", "0", "0"], Some("0")),
            ("2024-12-27", ["10", "11", "9", "-1"], None),
            ("2024-12-27", ["10", "9", "11", "10"], None),
            ("2024-12-27", ["12", "11", "9", "10"], None),
            ("2024-12-27", good, Some("-5")),
            ("2024-12-27", good, Some("many")),
            ("2024-12-27 14:30:00", good, None),
            ("", good, None),
        ] {
            assert!(!daily.is_candle(&row(time, prices, volume)), "{time} {prices:?} {volume:?}");
        }
        let negative = Rules { allow_negative: true, ..daily };
        assert!(negative.is_candle(&row("2020-04-20", ["17.73", "17.85", "-40.32", "-37.63"], None)));
    }

    #[test]
    fn a_candle_is_complete_when_its_session_or_its_time_is_over() {
        let complete = |rules: &Rules, time: &str, at: &str| {
            rules.is_complete(rules.stamp(&row(time, [""; 4], None)).unwrap(), at.parse().unwrap())
        };
        let daily = rules("1day", Some("XNYS"));
        assert!(!complete(&daily, "2024-12-30", "2024-12-30T20:59:59Z"));
        assert!(complete(&daily, "2024-12-30", "2024-12-30T21:00:00Z"));
        // Without a calendar the day ends at midnight in the exchange's time zone.
        let unknown = rules("1day", None);
        assert!(!complete(&unknown, "2024-12-30", "2024-12-31T04:59:59Z"));
        assert!(complete(&unknown, "2024-12-30", "2024-12-31T05:00:00Z"));
        let hourly = rules("1h", None);
        assert!(!complete(&hourly, "2024-12-30 14:00:00", "2024-12-30T14:59:59Z"));
        assert!(complete(&hourly, "2024-12-30 14:00:00", "2024-12-30T15:00:00Z"));
    }

    #[test]
    fn a_weekend_is_not_expected_where_a_calendar_says_so() {
        let expected = |rules: &Rules| rules.is_expected(rules.stamp(&row("2024-12-28", [""; 4], None)).unwrap());
        assert!(!expected(&rules("1day", Some("XNYS"))));
        assert!(expected(&rules("1day", None)));
    }
}
