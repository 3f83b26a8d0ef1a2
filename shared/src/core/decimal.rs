//! Exact decimal numbers of up to 36 significant digits in 16 bytes.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The maximum number of significant digits of a [`Decimal`]: what fits into a signed integer of 121 bits.
pub const MAX_DIGITS: u32 = 36;

const SCALE_BITS: u32 = 7;

/// A price or a volume, exact from the API's text to PostgreSQL's `numeric` without a float in between.
///
/// It stores the value and not the spelling: `1.50` and `1.5` are equal and both are written as `1.5`, so equal inputs
/// give equal bytes. The mantissa (121 bits, signed) and the scale (7 bits) share two words, because an object of a
/// million candles has five million decimals in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    high: u64,
    low: u64,
}

/// Why a text is not a [`Decimal`].
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecimalError {
    /// The text is not a number in digits with at most one decimal point and at most one exponent.
    #[error("not a number")]
    NotANumber,
    /// The number cannot be stored without rounding.
    #[error("more than {MAX_DIGITS} digits")]
    TooManyDigits,
}

impl Decimal {
    /// Zero, which is also the volume of a filled candle.
    pub const ZERO: Self = Self { high: 0, low: 0 };

    /// Parses a number such as `12`, `-0.5`, `.5`, `+1.50` or `1.5e-3`.
    ///
    /// # Errors
    ///
    /// Returns a [`DecimalError`] if the text is not a number or the number would have to be rounded.
    pub fn parse(text: &[u8]) -> Result<Self, DecimalError> {
        let (negative, unsigned) = split_sign(text);
        let (digits, exponent) = split_exponent(unsigned)?;
        let (magnitude, fraction_digits) = parse_digits(digits)?;
        let scale = i64::from(fraction_digits) - i64::from(exponent);
        let mantissa = if negative { -magnitude } else { magnitude };
        Self::normalised(mantissa, scale)
    }

    /// Creates the number `mantissa / 10^scale` without trailing zeros in its fraction.
    fn normalised(mut mantissa: i128, mut scale: i64) -> Result<Self, DecimalError> {
        if mantissa == 0 {
            return Ok(Self::ZERO);
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        while scale < 0 {
            mantissa = mantissa.checked_mul(10).ok_or(DecimalError::TooManyDigits)?;
            scale += 1;
        }
        let fits = mantissa.unsigned_abs() < 10_u128.pow(MAX_DIGITS) && scale <= i64::from(MAX_DIGITS);
        let scale = u8::try_from(scale).map_err(|_| DecimalError::TooManyDigits)?;
        if fits { Ok(Self::pack(mantissa, scale)) } else { Err(DecimalError::TooManyDigits) }
    }

    fn pack(mantissa: i128, scale: u8) -> Self {
        let bits = (mantissa << SCALE_BITS) | i128::from(scale);
        Self { high: (bits >> 64) as u64, low: bits as u64 }
    }

    fn bits(self) -> i128 {
        (i128::from(self.high as i64) << 64) | i128::from(self.low)
    }

    /// Returns the number without its decimal point: `1.5` has mantissa 15 and scale 1.
    #[must_use]
    pub fn mantissa(self) -> i128 {
        self.bits() >> SCALE_BITS
    }

    /// Returns how many digits of the mantissa are after the decimal point, 0 to 36.
    #[must_use]
    pub fn scale(self) -> u8 {
        (self.low & ((1 << SCALE_BITS) - 1)) as u8
    }

    /// Whether the number is greater than zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.mantissa() > 0
    }

    /// Whether the number is less than zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.mantissa() < 0
    }

    /// Whether the number differs from `other` by at most 1e-9 of `other`, as after rounding to a binary float.
    #[must_use]
    pub fn is_about(self, other: Self) -> bool {
        let finer = self.scale().max(other.scale());
        let aligned = |number: Self| number.mantissa().checked_mul(10_i128.pow(u32::from(finer - number.scale())));
        let (Some(one), Some(other)) = (aligned(self), aligned(other)) else { return false };
        let difference = one.abs_diff(other).checked_mul(1_000_000_000);
        difference.is_some_and(|difference| difference <= other.unsigned_abs())
    }

    /// The parts before and after the decimal point, the latter as an integer of [`Self::scale`] digits.
    fn parts(self) -> (i128, i128) {
        let unit = 10_i128.pow(u32::from(self.scale()));
        (self.mantissa() / unit, self.mantissa() % unit)
    }
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// Splits a number into the digits before an `e` and the power of ten after it.
fn split_exponent(text: &[u8]) -> Result<(&[u8], i32), DecimalError> {
    let Some(at) = text.iter().position(|byte| matches!(byte, b'e' | b'E')) else {
        return Ok((text, 0));
    };
    let exponent = std::str::from_utf8(&text[at + 1..]).ok().and_then(|digits| digits.parse::<i16>().ok());
    Ok((&text[..at], i32::from(exponent.ok_or(DecimalError::NotANumber)?)))
}

/// Parses the digits as one integer, and counts those after the decimal point.
fn parse_digits(text: &[u8]) -> Result<(i128, u32), DecimalError> {
    let mut value = 0_i128;
    let mut digits = 0_u32;
    let mut fraction_digits = 0_u32;
    let mut has_point = false;
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                value = value
                    .checked_mul(10)
                    .and_then(|v| v.checked_add(i128::from(byte - b'0')))
                    .ok_or(DecimalError::TooManyDigits)?;
                digits += 1;
                fraction_digits += u32::from(has_point);
            }
            b'.' if !has_point => has_point = true,
            _ => return Err(DecimalError::NotANumber),
        }
    }
    if digits == 0 { Err(DecimalError::NotANumber) } else { Ok((value, fraction_digits)) }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let finer = self.scale().max(other.scale());
        let aligned = |number: &Self| number.mantissa().checked_mul(10_i128.pow(u32::from(finer - number.scale())));
        match (aligned(self), aligned(other)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => self.cmp_by_parts(other),
        }
    }
}

impl Decimal {
    /// Compares numbers with so many digits that their mantissas overflow at a common scale.
    fn cmp_by_parts(&self, other: &Self) -> Ordering {
        let (whole, fraction) = self.parts();
        let (other_whole, other_fraction) = other.parts();
        let scale = self.scale().max(other.scale());
        let aligned = |fraction: i128, own: u8| fraction * 10_i128.pow(u32::from(scale - own));
        whole
            .cmp(&other_whole)
            .then_with(|| aligned(fraction, self.scale()).cmp(&aligned(other_fraction, other.scale())))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = self.parts();
        if self.is_negative() {
            formatter.write_str("-")?;
        }
        write!(formatter, "{}", whole.unsigned_abs())?;
        match usize::from(self.scale()) {
            0 => Ok(()),
            width => write!(formatter, ".{:0width$}", fraction.unsigned_abs()),
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_are_written_as_they_were_but_for_needless_zeros() {
        for (text, written) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("258.50", "258.5"),
            ("+.5", "0.5"),
            ("-0.05", "-0.05"),
            ("1200", "1200"),
            ("1.5e-3", "0.0015"),
            ("2E3", "2000"),
            ("123456789012345678901234567890.123456", "123456789012345678901234567890.123456"),
        ] {
            assert_eq!(decimal(text).to_string(), written, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "-", "1.2.3", "1,5", "nan", "N/A", "0x1", "1e", "1e1.5", " 1", "1e99999999", "--1"] {
            assert_eq!(Decimal::parse(text.as_bytes()), Err(DecimalError::NotANumber), "{text}");
        }
    }

    #[test]
    fn a_number_is_never_rounded() {
        for text in
            ["1e37", "0.0000000000000000000000000000000000001", "1234567890123456789012345678901234567.5", "1e300"]
        {
            assert_eq!(Decimal::parse(text.as_bytes()), Err(DecimalError::TooManyDigits), "{text}");
        }
    }

    #[test]
    fn numbers_are_about_equal_within_the_rounding_of_floats() {
        for (one, other, expected) in [
            ("150.12000000000003", "150.12", true),
            ("150.12", "150.12000000000003", true),
            ("184.25", "184.22", false),
            ("1.000000002", "1", false),
            ("0", "0", true),
            ("-1.0000000001", "-1", true),
            ("1", "-1", false),
            ("123456789012345678901234567890", "0.000000000000000000000000000001", false),
        ] {
            assert_eq!(decimal(one).is_about(decimal(other)), expected, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn reading_what_was_written_gives_the_same_number(mantissa in -10_i128.pow(36) + 1..10_i128.pow(36), scale in 0_i64..=36) {
            let number = Decimal::normalised(mantissa, scale).unwrap();
            prop_assert_eq!(number, decimal(&number.to_string()));
        }

        #[test]
        fn order_is_that_of_the_numbers(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000, s in 0_u32..5, t in 0_u32..5) {
            let left = Decimal::normalised(a.into(), s.into()).unwrap();
            let right = Decimal::normalised(b.into(), t.into()).unwrap();
            let exact = (i128::from(a) * 10_i128.pow(t)).cmp(&(i128::from(b) * 10_i128.pow(s)));
            prop_assert_eq!(left.cmp(&right), exact);
        }

        #[test]
        fn order_is_that_of_the_parts_for_any_number_of_digits(
            a in -10_i128.pow(36) + 1..10_i128.pow(36), b in -10_i128.pow(36) + 1..10_i128.pow(36),
            s in 0_i64..=36, t in 0_i64..=36,
        ) {
            let left = Decimal::normalised(a, s).unwrap();
            let right = Decimal::normalised(b, t).unwrap();
            prop_assert_eq!(left.cmp(&right), left.cmp_by_parts(&right));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Decimal::parse(&bytes);
        }
    }
}
