//! Writes clean CSV from the rows of a raw text.

use std::io::{self, Write};
use std::mem;

use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::key::Series;

/// How many bytes are written at once.
const CHUNK: usize = 128 << 10;

const DAY: i64 = 86_400;

/// Writes clean candles one by one. The bytes are those of [`clean_csv::write`], but numbers that are already in the
/// right form are copied. The csv crate is not used, because only the symbol of a candle can need quotes.
pub struct CleanWriter<'a, W> {
    out: W,
    buffer: Vec<u8>,
    series: &'a Series,
    /// Whether copied numbers end with a volume.
    has_volume: bool,
    /// The start of a line: symbol, interval and the time of the last candle.
    head: Vec<u8>,
    /// The length of symbol and interval in `head`.
    names: usize,
    /// The date of the last candle, in days since 1970.
    day: i64,
}

impl<'a, W: Write> CleanWriter<'a, W> {
    /// Writes the header. `has_volume` says whether the numbers for [`Self::copy`] end with a volume.
    pub fn new(series: &'a Series, has_volume: bool, out: W) -> io::Result<Self> {
        let none = clean_csv::CleanCandles::default();
        let mut buffer = Vec::with_capacity(CHUNK + 1024);
        buffer.extend(clean_csv::write(series, &none)?);
        let head = names(series)?;
        Ok(Self { out, buffer, series, has_volume, names: head.len(), head, day: i64::MIN })
    }

    /// Writes a candle whose numbers are given as text, each with a delimiter before it.
    #[inline]
    pub fn copy(&mut self, time: CandleTime, numbers: &[u8], delimiter: u8) -> io::Result<()> {
        self.set_time(time);
        self.buffer.extend_from_slice(&self.head);
        let from = self.buffer.len();
        self.buffer.extend_from_slice(numbers);
        if delimiter != b',' {
            let commas = |byte: &mut u8| *byte = if *byte == delimiter { b',' } else { *byte };
            self.buffer[from..].iter_mut().for_each(commas);
        }
        self.end_copy()
    }

    /// Like [`Self::copy`], but without the zeros at the end of fractions.
    #[inline]
    pub fn copy_shortened(&mut self, time: CandleTime, numbers: &[u8], delimiter: u8) -> io::Result<()> {
        self.set_time(time);
        self.buffer.extend_from_slice(&self.head);
        for number in numbers.get(1..).unwrap_or_default().split(|byte| *byte == delimiter) {
            self.buffer.push(b',');
            self.buffer.extend_from_slice(shortened(number));
        }
        self.end_copy()
    }

    #[inline]
    fn end_copy(&mut self) -> io::Result<()> {
        self.buffer.extend_from_slice(if self.has_volume { b",true,false\n" } else { b",0,false,false\n" });
        self.flush_when_full()
    }

    pub fn write(&mut self, candle: &Candle) -> io::Result<()> {
        self.set_time(candle.time);
        self.buffer.extend_from_slice(&self.head);
        let Candle { open, high, low, close, volume, is_filled, .. } = candle;
        write!(self.buffer, ",{open},{high},{low},{close}")?;
        let has_volume = volume.is_some();
        let volume = volume.unwrap_or(Decimal::ZERO);
        writeln!(self.buffer, ",{volume},{has_volume},{is_filled}")?;
        self.flush_when_full()
    }

    /// Writes what is still buffered.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&self.buffer)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn flush_when_full(&mut self) -> io::Result<()> {
        if self.buffer.len() >= CHUNK {
            self.out.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Puts a time into the head of the line: all of it if the date differs from that of the last candle, otherwise
    /// only the time of day.
    #[inline]
    fn set_time(&mut self, time: CandleTime) {
        let day = time.seconds().div_euclid(DAY);
        let second = time.seconds().rem_euclid(DAY);
        if day != mem::replace(&mut self.day, day) {
            self.set_date(time);
        }
        if self.series.interval.is_intraday()
            && let Some(digits) = self.head.last_chunk_mut::<9>()
        {
            let [h1, h2, _, m1, m2, _, s1, s2, _] = digits;
            [*h1, *h2] = two_digits(second / 3600);
            [*m1, *m2] = two_digits(second / 60 % 60);
            [*s1, *s2] = two_digits(second % 60);
        }
    }

    fn set_date(&mut self, time: CandleTime) {
        self.head.truncate(self.names);
        match time.date().filter(|date| date.year() >= 0) {
            Some(date) => {
                let year = i64::from(date.year());
                let month = date.month().into();
                let day = date.day().into();
                let [y1, y2] = two_digits(year / 100);
                let [y3, y4] = two_digits(year % 100);
                let [m1, m2] = two_digits(month);
                let [d1, d2] = two_digits(day);
                self.head.extend([y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2]);
                if self.series.interval.is_intraday() {
                    self.head.extend(b"T00:00:00Z");
                }
            }
            None => self.head.extend(time.display(self.series.interval).to_string().into_bytes()),
        }
    }
}

/// Symbol and interval, each followed by a comma. A symbol may need quotes.
fn names(series: &Series) -> Result<Vec<u8>, csv::Error> {
    let mut line = csv::Writer::from_writer(Vec::new());
    line.write_record([series.symbol.as_str(), series.interval.as_str(), ""])?;
    let mut names = line.into_inner().map_err(|error| error.into_error())?;
    names.pop();
    Ok(names)
}

/// A number without the zeros at the end of its fraction, and without the point if no digit follows it.
#[inline]
fn shortened(number: &[u8]) -> &[u8] {
    if !number.contains(&b'.') {
        return number;
    }
    let zeros = number.iter().rev().take_while(|byte| **byte == b'0').count();
    let number = &number[..number.len() - zeros];
    number.strip_suffix(b".").unwrap_or(number)
}

/// A number below 100 as two digits.
fn two_digits(number: i64) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}
