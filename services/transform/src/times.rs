//! A fast parser for times in their most common forms.
//!
//! [`CandleTime::parse`] reads times in all forms and asks the time zone about each one, which takes longer than the
//! rest of a one-minute row. Rows of one date are adjacent, so this parser asks the zone once for each date.

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use jiff::civil::{self, Date};
use jiff::tz::TimeZone;

const DAY: i64 = 86_400;

/// Parses times, and remembers the offset of the last date.
#[derive(Clone, Debug)]
pub struct Times<'a> {
    is_intraday: bool,
    zone: &'a TimeZone,
    date: [u8; 10],
    /// The midnight of that date in UTC, in seconds.
    midnight: i64,
    /// The offset from UTC in seconds throughout that date; `None` if it changes.
    offset: Option<i64>,
}

impl<'a> Times<'a> {
    /// Times without an offset are in `zone`.
    pub fn new(interval: Interval, zone: &'a TimeZone) -> Self {
        Self { is_intraday: interval.is_intraday(), zone, date: [0; 10], midnight: 0, offset: None }
    }

    /// Parses the time at the start of a text and returns it with its length: `2024-12-30` for daily and longer
    /// candles, and for shorter ones `2024-12-30 09:30:00`, or with a `T` between or a `Z` after it. `None` for any
    /// other form and for dates on which the clocks change; the text may still be a time.
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

/// The offset of a zone from UTC in seconds on a date, if it is the same from midnight to midnight.
fn offset_all_day(date: Date, zone: &TimeZone) -> Option<i64> {
    let start = zone.to_ambiguous_timestamp(date.to_datetime(civil::Time::midnight())).unambiguous().ok()?;
    let change = zone.following(start).next();
    let is_later = |change: i64| change >= start.as_second() + DAY;
    let holds = change.is_none_or(|change| is_later(change.timestamp().as_second()));
    holds.then(|| i64::from(zone.to_offset(start).seconds()))
}

/// Parses ` 09:30:00` or `T09:30:00` to the seconds since midnight.
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
