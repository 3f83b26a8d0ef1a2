//! Plain rows, read fast: those that nearly all rows are.
//!
//! A row is plain where its columns stand in the usual order, no cell is quoted, its time is written as most sources do, and
//! its numbers as clean CSV writes them, so that they can be copied instead of written anew. The csv crate is not used for
//! these: it copies every cell before anybody looks at it, and finding the cells, checking the digits and comparing the
//! prices is one pass over the bytes here. What is not plain says nothing about the row; [`crate::cells`], with the crate's
//! own parser, and [`crate::row`] then judge it in full, and a test holds the two to the same result.

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::raw_csv::Header;
use jiff::tz::TimeZone;
use memchr::memchr3;

use crate::row::Numbers;
use crate::times::Times;

/// The most digits on either side of the point: with them, both sides fit 64 bits.
const MOST_DIGITS: usize = 18;

/// Reads plain rows.
#[derive(Clone, Debug)]
pub struct PlainRows<'a> {
    times: Times<'a>,
    delimiter: u8,
    has_volume: bool,
}

/// A plain row that is a possible candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainRow {
    /// Its time.
    pub time: CandleTime,
    /// Where its numbers stand in it.
    pub numbers: Numbers,
    /// Its length in bytes, without its line break.
    pub length: usize,
}

/// A number by its sides of the point, the right one in units of 10⁻¹⁸: ordered as numbers are.
type Plain = (u64, u64);

impl<'a> PlainRows<'a> {
    /// A reader of plain rows; none where the columns' order is another.
    #[must_use]
    pub fn new(header: &Header, interval: Interval, zone: &'a TimeZone) -> Option<Self> {
        let usual = header.time == 0 && header.prices == [1, 2, 3, 4] && header.is_filled.is_none();
        let has_volume = header.volume.is_some();
        let is_plain = usual && header.volume.is_none_or(|field| field == 5);
        is_plain.then(|| Self { times: Times::new(interval, zone), delimiter: header.delimiter, has_volume })
    }

    /// The row with which a text begins; none where it is not plain, or is no candle.
    #[inline]
    pub fn read(&mut self, text: &[u8]) -> Option<PlainRow> {
        let (time, from) = self.times.read(text)?;
        let (open, at) = self.number(text, from)?;
        let (high, at) = self.number(text, at)?;
        let (low, at) = self.number(text, at)?;
        let (close, at) = self.number(text, at)?;
        let is_possible = low > (0, 0) && low <= open.min(close) && open.max(close) <= high;
        let to = if self.has_volume { self.number(text, at)?.1 } else { at };
        let numbers = Numbers::new(from, to)?;
        is_possible.then_some(PlainRow { time, numbers, length: self.end(text, to)? })
    }

    /// The number behind the delimiter at a place, and the place behind it.
    #[inline]
    fn number(&self, text: &[u8], at: usize) -> Option<(Plain, usize)> {
        let cell = text.get(at..).and_then(|rest| rest.strip_prefix(&[self.delimiter]))?;
        let (number, length) = number(cell)?;
        Some((number, at + 1 + length))
    }

    /// Where the row ends whose last needed cell ends at a place: there, or behind columns that nothing reads.
    #[inline]
    fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        match text.get(at) {
            None | Some(b'\n' | b'\r') => Some(at),
            Some(byte) if *byte == self.delimiter => match memchr3(b'\n', b'\r', b'"', &text[at..]) {
                Some(behind) if text[at + behind] == b'"' => None,
                behind => Some(behind.map_or(text.len(), |behind| at + behind)),
            },
            Some(_) => None,
        }
    }
}

/// The number with which a text begins, and its length, if it is written as clean CSV writes it: digits, and perhaps a
/// point and digits that do not end in nought.
#[inline]
fn number(text: &[u8]) -> Option<(Plain, usize)> {
    let (whole, length) = digits(text)?;
    if length > 1 && text[0] == b'0' {
        return None;
    }
    if text.get(length) != Some(&b'.') {
        return Some(((whole, 0), length));
    }
    let (fraction, behind) = digits(&text[length + 1..])?;
    let is_short = text[length + behind] != b'0';
    let unit = 10_u64.pow((MOST_DIGITS - behind) as u32);
    is_short.then_some(((whole, fraction * unit), length + 1 + behind))
}

/// The digits with which a text begins as a number, and how many there are: at least one and at most [`MOST_DIGITS`].
#[inline]
fn digits(text: &[u8]) -> Option<(u64, usize)> {
    let (mut value, mut count) = (0, 0);
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        // It may wrap before its length is found too long, but then it is not used.
        value = u64::wrapping_add(u64::wrapping_mul(value, 10), u64::from(digit));
        count += 1;
    }
    (1..=MOST_DIGITS).contains(&count).then_some((value, count))
}
