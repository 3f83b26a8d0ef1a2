//! Times as most sources write them, read fast.
//!
//! [`CandleTime::parse`] reads times in all their forms, and asks the time zone about each; a candle of a minute then costs
//! more than all the rest of its row. Rows of one date stand together, so that here the zone is asked once a date.

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use jiff::civil::{self, Date};
use jiff::tz::TimeZone;

const DAY: i64 = 86_400;

/// Reads times, and remembers the date of the last one.
#[derive(Clone, Debug)]
pub struct Times<'a> {
    is_intraday: bool,
    zone: &'a TimeZone,
    date: [u8; 10],
    /// That date's midnight in UTC, in seconds.
    midnight: i64,
    /// The seconds by which the zone is ahead of UTC all through that date; none where they change.
    offset: Option<i64>,
}

impl<'a> Times<'a> {
    /// For candles of an interval; times that name no offset are in `zone`.
    pub fn new(interval: Interval, zone: &'a TimeZone) -> Self {
        Self { is_intraday: interval.is_intraday(), zone, date: [0; 10], midnight: 0, offset: None }
    }

    /// The time with which a text begins, and its length: `2024-12-30` for daily and longer candles, and for shorter ones
    /// `2024-12-30 09:30:00` or with a `T` between or a `Z` behind. Another form, or a date on which clocks are changed, is
    /// none of these, and no word on whether it is a time.
    pub fn read(&mut self, text: &[u8]) -> Option<(CandleTime, usize)> {
        let date = text.first_chunk::<10>()?;
        if *date != self.date {
            self.turn_to(date)?;
        }
        if !self.is_intraday {
            return Some((CandleTime::from_seconds(self.midnight), 10));
        }
        let seconds = self.midnight + time_of_day(text.get(10..19)?)?;
        match text.get(19) {
            Some(b'Z') => Some((CandleTime::from_seconds(seconds), 20)),
            _ => Some((CandleTime::from_seconds(seconds - self.offset?), 19)),
        }
    }

    fn turn_to(&mut self, text: &[u8; 10]) -> Option<()> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
        let year = 100 * two_digits(y1, y2)? + two_digits(y3, y4)?;
        let month = two_digits(m1, m2)?;
        let day = two_digits(d1, d2)?;
        let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        self.midnight = CandleTime::from_date(date).seconds();
        self.offset = if self.is_intraday { offset_all_day(date, self.zone) } else { None };
        self.date = *text;
        Some(())
    }
}

/// The seconds by which a zone is ahead of UTC on a date, if they are the same from its midnight to the next.
fn offset_all_day(date: Date, zone: &TimeZone) -> Option<i64> {
    let start = zone.to_ambiguous_timestamp(date.to_datetime(civil::Time::midnight())).unambiguous().ok()?;
    let change = zone.following(start).next();
    let is_later = |change: i64| change >= start.as_second() + DAY;
    let holds = change.is_none_or(|change| is_later(change.timestamp().as_second()));
    holds.then(|| i64::from(zone.to_offset(start).seconds()))
}

/// The seconds since midnight of ` 09:30:00` or `T09:30:00`.
fn time_of_day(text: &[u8]) -> Option<i64> {
    let [b' ' | b'T', h1, h2, b':', m1, m2, b':', s1, s2] = *text else { return None };
    let hour = two_digits(h1, h2)?;
    let minute = two_digits(m1, m2)?;
    let second = two_digits(s1, s2)?;
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let tens = tens.wrapping_sub(b'0');
    let ones = ones.wrapping_sub(b'0');
    (tens < 10 && ones < 10).then_some(i64::from(tens) * 10 + i64::from(ones))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zones() -> [TimeZone; 4] {
        let named = |name| TimeZone::get(name).unwrap();
        [TimeZone::UTC, named("America/New_York"), named("Australia/Lord_Howe"), named("Africa/Casablanca")]
    }

    #[test]
    fn a_date_on_which_clocks_change_is_left_to_those_who_ask_each_time() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let mut times = Times::new(Interval::Min1, &zone);
        assert_eq!(times.read(b"2024-03-10 09:30:00"), None);
        assert!(times.read(b"2024-03-11 09:30:00").is_some());
        assert!(times.read(b"2024-03-10T09:30:00Z").is_some());
    }

    proptest! {
        #[test]
        fn what_is_read_fast_is_what_would_be_read_slowly(
            zone in 0..4_usize, days in -20_000..30_000_i64, second in 0..DAY, separator in "[ T]", behind in "[Z,]?",
            daily: bool,
        ) {
            let zone = &zones()[zone];
            let interval = if daily { Interval::Day1 } else { Interval::Min1 };
            let date = CandleTime::from_seconds(days * DAY).date().unwrap();
            let time = civil::Time::midnight() + jiff::SignedDuration::from_secs(second);
            let text = if daily { date.to_string() } else { format!("{date}{separator}{time}{behind}") };
            if let Some((read, length)) = Times::new(interval, zone).read(text.as_bytes()) {
                prop_assert_eq!(Ok(read), CandleTime::parse(&text[..length], interval, zone));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..30), text in "[0-9]{4}-[0-9]{2}-[0-9]{2}.{0,10}") {
            let zone = TimeZone::UTC;
            for interval in [Interval::Min1, Interval::Day1] {
                let mut times = Times::new(interval, &zone);
                let _ = (times.read(&bytes), times.read(text.as_bytes()));
            }
        }
    }
}
