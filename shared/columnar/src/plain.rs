//! A fast parser of clean CSV, whose lines are nearly all of one form.
//!
//! A line is plain if it begins with the names of the series and has a time in the usual form, numbers without an exponent and
//! with at most 18 digits before and after the point, and flags. A text with any other line is read by
//! [`candlewick_shared::core::clean_csv`], which also names what is wrong with it. A test ensures that both give the same.

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::digits::digits;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use jiff::tz::TimeZone;

use crate::batch::Columns;
use crate::number::{ONE, POWERS};
use crate::schema::SCALE;

/// Reads whole lines; `None` if one of them is not plain.
pub fn read(lines: &[u8], series: &Series) -> Option<Columns> {
    if series.symbol.as_str().contains('"') {
        return None;
    }
    let mut reader = Reader::new(lines, series);
    let mut columns = Columns::with_capacity(lines.len() / 64);
    let mut last = i64::MIN;
    while !reader.rest.is_empty() {
        let seconds = reader.line(&mut columns)?;
        if seconds <= last {
            return None;
        }
        last = seconds;
    }
    Some(columns)
}

struct Reader<'a> {
    rest: &'a [u8],
    /// What every line begins with: symbol and interval.
    names: Vec<u8>,
    interval: Interval,
    /// The date of the last line, and its first second.
    date: [u8; 10],
    midnight: i64,
}

impl<'a> Reader<'a> {
    fn new(rest: &'a [u8], series: &Series) -> Self {
        let Series { symbol, interval } = series;
        Self {
            rest,
            names: format!("{symbol},{interval},").into_bytes(),
            interval: *interval,
            date: [0; 10],
            midnight: 0,
        }
    }

    /// Reads a line and returns the seconds of its time.
    #[inline]
    fn line(&mut self, columns: &mut Columns) -> Option<i64> {
        self.rest = self.rest.strip_prefix(self.names.as_slice())?;
        let seconds = self.time()?;
        let prices = [self.number()?, self.number()?, self.number()?, self.number()?];
        let volume = self.number()?;
        let (has_volume, is_filled) = self.flags()?;
        if !has_volume && volume != 0 {
            return None;
        }
        columns.add(seconds.checked_mul(1_000_000)?, prices, has_volume.then_some(volume), is_filled);
        Some(seconds)
    }

    #[inline]
    fn time(&mut self) -> Option<i64> {
        let (date, rest) = self.rest.split_first_chunk::<10>()?;
        if *date != self.date {
            let text = str::from_utf8(date).ok()?;
            self.midnight = CandleTime::parse(text, Interval::Day1, &TimeZone::UTC).ok()?.seconds();
            self.date = *date;
        }
        self.rest = rest;
        if !self.interval.is_intraday() {
            return Some(self.midnight);
        }
        let (clock, rest) = rest.split_first_chunk::<10>()?;
        self.rest = rest;
        Some(self.midnight + time_of_day(clock)?)
    }

    /// Reads a comma and a number, as a multiple of 10 to the power of minus [`SCALE`].
    #[inline]
    fn number(&mut self) -> Option<i128> {
        let rest = self.rest.strip_prefix(b",")?;
        let (is_negative, rest) = rest.strip_prefix(b"-").map_or((false, rest), |rest| (true, rest));
        let (whole, length) = digits(rest)?;
        let (fraction, rest) = fraction(&rest[length..])?;
        self.rest = rest;
        let number = i128::from(whole) * ONE + fraction;
        Some(if is_negative { -number } else { number })
    }

    /// Reads the last two cells, which say whether there is a volume and whether the candle is filled.
    #[inline]
    fn flags(&mut self) -> Option<(bool, bool)> {
        for (text, flags) in FLAGS {
            if let Some(rest) = self.rest.strip_prefix(text) {
                self.rest = rest;
                return Some(flags);
            }
        }
        None
    }
}

const FLAGS: [(&[u8], (bool, bool)); 4] = [
    (b",true,false\n", (true, false)),
    (b",false,false\n", (false, false)),
    (b",true,true\n", (true, true)),
    (b",false,true\n", (false, true)),
];

/// The fraction at the start of a text, if there is one, and the text after it.
#[inline]
fn fraction(text: &[u8]) -> Option<(i128, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, text)) };
    let (fraction, count) = digits(text)?;
    let power = POWERS[SCALE.unsigned_abs() as usize - count];
    Some((i128::from(fraction) * power, &text[count..]))
}

/// The seconds of a text such as `T14:30:00Z`.
#[inline]
fn time_of_day(text: &[u8; 10]) -> Option<i64> {
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = *text else { return None };
    let hour = two_digits(h1, h2)?;
    let minute = two_digits(m1, m2)?;
    let second = two_digits(s1, s2)?;
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::clean_csv;
    use proptest::prelude::*;

    use super::*;
    use crate::names::Names;

    fn series(interval: &str) -> Series {
        Series { symbol: "BTC/USD".parse().unwrap(), interval: interval.parse().unwrap() }
    }

    /// Whether lines are plain. If they are, the columns are those of the full reader.
    fn is_plain(lines: &str, series: &Series) -> bool {
        let Some(columns) = read(lines.as_bytes(), series) else { return false };
        let candles = clean_csv::read_rows(lines.as_bytes(), series).unwrap().candles;
        let names = Names::of(std::slice::from_ref(series));
        let expected = Columns::of(series, &candles).unwrap().finish(&names, series).unwrap();
        assert!(columns.finish(&names, series).unwrap() == expected, "{lines}");
        true
    }

    #[test]
    fn what_the_transform_writes_is_plain() {
        let lines = "BTC/USD,1min,2024-12-30T23:59:00Z,257.83,258.7,253.06,255.59,42355300,true,false\n\
            BTC/USD,1min,2024-12-31T00:00:00Z,255.59,255.59,-0.000000000000000001,123456789012345678.5,0,false,true\n";
        assert!(is_plain(lines, &series("1min")));
        assert!(is_plain("BTC/USD,1day,2024-02-29,1,2,0.5,1.5,0.25,true,true\n", &series("1day")));
    }

    #[test]
    fn every_other_line_is_left_to_the_full_reader() {
        let line = "BTC/USD,1min,2024-12-30T23:59:00Z,257.83,258.7,253.06,255.59,42,true,false\n";
        assert!(is_plain(line, &series("1min")));
        for (from, to) in [
            ("BTC/USD", "\"BTC/USD\""),
            ("1min", "5min"),
            ("12-30", "13-30"),
            ("12-30", "02-30"),
            ("23:59:00", "24:00:00"),
            ("23:59:00", "23:59:60"),
            ("Z,", "+00:00,"),
            ("257.83", "2.5783e2"),
            ("257.83", "+257.83"),
            ("257.83", "257."),
            ("257.83", ".83"),
            ("257.83", ""),
            ("257.83", "0.1234567890123456789"),
            ("257.83", "1234567890123456789"),
            ("true,false", "false,false"),
            ("true,false", "true,false,"),
            ("true,false", "True,false"),
            ("true,false\n", "true,false\r\n"),
            ("true,false\n", "true,false"),
            ("true,false\n", "true,false\n\n"),
        ] {
            assert!(!is_plain(&line.replace(from, to), &series("1min")), "{from} to {to}");
        }
        assert!(!is_plain(&line.repeat(2), &series("1min")), "the same time twice");
    }

    #[test]
    fn a_symbol_that_needs_quotes_is_left_to_the_full_reader() {
        let series = Series { symbol: "A\"B".parse().unwrap(), ..series("1day") };
        assert!(read(b"A\"B,1day,2024-02-29,1,2,0.5,1.5,0.25,true,true\n", &series).is_none());
    }

    proptest! {
        #[test]
        fn a_plain_number_is_what_the_full_reader_reads(
            prices in "(-?[0-9]{1,19}([.][0-9]{1,19})?,){4}",
            volume in "[0-9]{1,18}",
            seconds in 0..86_400,
        ) {
            let time = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
            is_plain(&format!("BTC/USD,1min,2024-12-30T{time}Z,{prices}{volume},true,false\n"), &series("1min"));
        }
    }
}
