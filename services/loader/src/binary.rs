//! Candles in the format of PostgreSQL's binary `COPY`.
//!
//! The format is described in the PostgreSQL documentation under "COPY", Binary Format. A `numeric` is encoded as the server's
//! `numeric_send` does: groups of four decimal digits and the weight of the first group, with no zero group at either end. A
//! value therefore has one encoding, and rows can be compared as bytes.

use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::decimal::Decimal;

/// The bytes before the first row.
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The bytes after the last row, in place of a field count.
pub const TRAILER: &[u8] = &(-1_i16).to_be_bytes();

/// The columns of a candle, in the order in which they are written.
pub const COLUMNS: &str = "time, open, high, low, close, volume, is_filled";

const FIELDS: i16 = 7;

/// PostgreSQL's epoch, 2000-01-01, in Unix seconds.
const EPOCH_2000: i64 = 946_684_800;

/// The columns before and after those of a candle.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    before: Vec<u8>,
    after: Vec<u8>,
    fields: i16,
}

impl Frame {
    /// Adds a text column before the candle, after those added earlier.
    pub fn text_before(mut self, text: &str) -> Self {
        put_field(&mut self.before, text.as_bytes());
        self.fields += 1;
        self
    }

    /// Adds a `bigint` column after the candle.
    pub fn bigint_after(mut self, number: i64) -> Self {
        put_field(&mut self.after, &number.to_be_bytes());
        self.fields += 1;
        self
    }

    /// Writes the row of a candle.
    pub fn put(&self, to: &mut Vec<u8>, candle: &Candle) {
        to.extend((FIELDS + self.fields).to_be_bytes());
        to.extend(&self.before);
        put_field(to, &microseconds(candle.time).to_be_bytes());
        for price in [candle.open, candle.high, candle.low, candle.close] {
            put_numeric(to, price);
        }
        match candle.volume {
            Some(volume) => put_numeric(to, volume),
            None => to.extend((-1_i32).to_be_bytes()),
        }
        put_field(to, &[u8::from(candle.is_filled)]);
        to.extend(&self.after);
    }
}

/// The time of an unframed row, in microseconds since 2000.
pub fn time_of(row: &[u8]) -> Option<i64> {
    row.get(6..14).and_then(|bytes| bytes.try_into().ok()).map(i64::from_be_bytes)
}

/// A candle's time as PostgreSQL counts it, in microseconds since 2000.
pub fn microseconds(time: CandleTime) -> i64 {
    (time.seconds() - EPOCH_2000).saturating_mul(1_000_000)
}

/// The candle time of a PostgreSQL timestamp in microseconds since 2000.
pub fn candle_time(microseconds: i64) -> CandleTime {
    CandleTime::from_seconds(microseconds.div_euclid(1_000_000) + EPOCH_2000)
}

fn put_field(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend((bytes.len() as i32).to_be_bytes());
    to.extend(bytes);
}

/// A decimal has at most 36 digits, and the point may split one group of four.
const MAX_GROUPS: usize = 10;

fn put_numeric(to: &mut Vec<u8>, decimal: Decimal) {
    const NEGATIVE: u16 = 0x4000;
    let (groups, weight) = groups(decimal);
    let digits = groups.as_slice();
    let sign = if decimal.is_negative() { NEGATIVE } else { 0 };
    to.extend((8 + 2 * digits.len() as i32).to_be_bytes());
    for word in [digits.len() as u16, weight as u16, sign, u16::from(decimal.scale())] {
        to.extend(word.to_be_bytes());
    }
    for digit in digits.iter().rev() {
        to.extend(digit.to_be_bytes());
    }
}

/// Groups of four digits, the lowest first.
struct Groups {
    digits: [u16; MAX_GROUPS],
    from: usize,
    until: usize,
}

impl Groups {
    fn as_slice(&self) -> &[u16] {
        &self.digits[self.from..self.until]
    }
}

/// The digits of a decimal in groups that do not cross the point, and the power of 10,000 of the highest.
fn groups(decimal: Decimal) -> (Groups, i16) {
    let mut groups = Groups { digits: [0; MAX_GROUPS], from: 0, until: 0 };
    let mut rest = decimal.mantissa().unsigned_abs();
    let scale = u32::from(decimal.scale());
    if rest == 0 {
        return (groups, 0);
    }
    // The lowest group may have fewer than four digits after the point, and is padded with zeros.
    let missing = scale.next_multiple_of(4) - scale;
    let unit = 10_u128.pow(4 - missing);
    groups.push((rest % unit) as u16 * 10_u16.pow(missing));
    rest /= unit;
    // Nearly every number fits in 64 bits, where division is fast.
    while rest > u128::from(u64::MAX) {
        groups.push((rest % 10_000) as u16);
        rest /= 10_000;
    }
    let mut rest = rest as u64;
    while rest > 0 {
        groups.push((rest % 10_000) as u16);
        rest /= 10_000;
    }
    let weight = groups.until as i16 - scale.div_ceil(4) as i16 - 1;
    groups.from = groups.digits.iter().position(|digit| *digit != 0).unwrap_or_default();
    (groups, weight)
}

impl Groups {
    fn push(&mut self, digit: u16) {
        self.digits[self.until] = digit;
        self.until += 1;
    }
}
