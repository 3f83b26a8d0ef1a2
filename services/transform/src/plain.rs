//! A fast parser for plain rows, which nearly all rows are.
//!
//! A row is plain if its columns are in the usual order, no cell is quoted, its time has the most common form, and
//! its numbers are written as in clean CSV except for zeros at the end of a fraction (`105.84750`, as TwelveData
//! writes it), so that they can be copied. The csv crate is not used here because it copies every cell first; this
//! parser finds the cells, checks the digits and compares the prices in one pass over the bytes. A row that is not
//! plain is not necessarily wrong: [`crate::row_rules`] then checks it in full, and a test ensures that both give
//! the same result.

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::digits::{MOST_DIGITS, digits};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::raw_csv::Header;
use jiff::tz::TimeZone;

use crate::row::Numbers;
use crate::times::Times;

/// The factor that converts a fraction with this many digits to units of 10⁻¹⁸.
const UNITS: [u64; MOST_DIGITS + 1] = {
    let mut units = [1; MOST_DIGITS + 1];
    let mut digits = MOST_DIGITS;
    while digits > 0 {
        units[digits - 1] = units[digits] * 10;
        digits -= 1;
    }
    units
};

#[derive(Clone, Debug)]
pub struct PlainRows<'a> {
    times: Times<'a>,
    delimiter: u8,
    has_volume: bool,
    /// The number of columns after the last one that is read.
    unread: usize,
}

/// A plain row that is a possible candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainRow {
    pub time: CandleTime,
    /// The position of its numbers in the row.
    pub numbers: Numbers,
    /// Its length in bytes, without its line break.
    pub length: usize,
}

/// A number as its integer part and its fraction in units of 10⁻¹⁸, which compares like the number.
type Plain = (u64, u64);

/// A number, and how it is written.
#[derive(Clone, Copy)]
struct Written {
    number: Plain,
    /// The length in bytes.
    length: usize,
    has_zeros: bool,
}

impl<'a> PlainRows<'a> {
    /// Returns `None` if the columns are in another order.
    pub fn new(header: &Header, interval: Interval, zone: &'a TimeZone) -> Option<Self> {
        let has_volume = header.volume.is_some();
        let read = header.fields_read();
        let is_plain = header.time == 0
            && header.prices == [1, 2, 3, 4]
            && header.volume.is_none_or(|field| field == 5)
            && read == if has_volume { 6 } else { 5 };
        let unread = header.names.len() - read;
        is_plain.then(|| Self { times: Times::new(interval, zone), delimiter: header.delimiter, has_volume, unread })
    }

    /// Parses the row at the start of a text; `None` if it is not plain or not a candle.
    #[inline]
    pub fn read(&mut self, text: &[u8]) -> Option<PlainRow> {
        let (time, from) = self.times.read(text)?;
        let mut to = from;
        let mut has_zeros = false;
        let mut next = || {
            let Written { number, length, has_zeros: is_padded } = self.number(text, to)?;
            to += 1 + length;
            has_zeros |= is_padded;
            Some(number)
        };
        let open = next()?;
        let high = next()?;
        let low = next()?;
        let close = next()?;
        let is_possible = low > (0, 0) && low <= open.min(close) && open.max(close) <= high;
        if self.has_volume {
            next()?;
        }
        let numbers = Numbers::new(from, to, has_zeros)?;
        is_possible.then_some(PlainRow { time, numbers, length: self.end(text, to)? })
    }

    /// Parses the number after the delimiter at `at`.
    #[inline]
    fn number(&self, text: &[u8], at: usize) -> Option<Written> {
        number(text.get(at..).and_then(|rest| rest.strip_prefix(&[self.delimiter]))?)
    }

    /// The end of a row whose last read cell ends at `at`: there, or after the cells of the columns that are not
    /// read. `None` if the number of cells does not match.
    #[inline]
    fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        match text.get(at) {
            None | Some(b'\n' | b'\r') => (self.unread == 0).then_some(at),
            Some(byte) if *byte == self.delimiter && self.unread > 0 => self.end_of_unread(text, at),
            Some(_) => None,
        }
    }

    fn end_of_unread(&self, text: &[u8], at: usize) -> Option<usize> {
        let mut cells = 0;
        for (length, byte) in text[at..].iter().enumerate() {
            match *byte {
                b'\n' | b'\r' => return (cells == self.unread).then_some(at + length),
                b'"' => return None,
                byte => cells += usize::from(byte == self.delimiter),
            }
        }
        (cells == self.unread).then_some(text.len())
    }
}

/// Parses a plain number at the start of a text: digits without a leading zero, and perhaps a point and digits.
#[inline]
fn number(text: &[u8]) -> Option<Written> {
    let (whole, length) = digits(text)?;
    if length > 1 && text[0] == b'0' {
        return None;
    }
    if text.get(length) != Some(&b'.') {
        return Some(Written { number: (whole, 0), length, has_zeros: false });
    }
    let (fraction, count) = digits(&text[length + 1..])?;
    let has_zeros = text[length + count] == b'0';
    Some(Written { number: (whole, fraction * UNITS[count]), length: length + 1 + count, has_zeros })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_numbers_are_those_that_are_written_as_they_would_be_anew(text in "[0-9]{0,3}[.]?[0-9]{0,12}") {
            use candlewick_shared::core::decimal::Decimal;
            let anew = Decimal::parse(text.as_bytes()).is_ok_and(|number| number.to_string() == text);
            let written = number(text.as_bytes()).filter(|written| written.length == text.len());
            prop_assert_eq!(written.is_some_and(|written| !written.has_zeros), anew);
        }

        #[test]
        fn zeros_at_the_end_of_a_fraction_change_no_number(whole in "0|[1-9][0-9]{0,9}", fraction in "[0-9]{0,9}", zeros in 1..6_usize) {
            use candlewick_shared::core::decimal::Decimal;
            let text = format!("{whole}.{fraction}{}", "0".repeat(zeros));
            let written = number(text.as_bytes()).unwrap();
            prop_assert!(written.has_zeros && written.length == text.len());
            let anew = Decimal::parse(text.as_bytes()).unwrap().to_string();
            prop_assert_eq!(written.number, number(anew.as_bytes()).unwrap().number);
        }
    }
}
