//! Prices and volumes as integers of one scale.

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::interval::Interval;
use thiserror::Error;

use crate::schema::{PRECISION, SCALE};

/// A value that the columns cannot hold. It is never rounded.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "{column} {value} of the candle of {time}: columns hold at most {} digits before the decimal point and {SCALE} after it",
    i16::from(PRECISION) - i16::from(SCALE)
)]
pub struct DoesNotFit {
    /// The name of the column.
    pub column: &'static str,
    /// The value.
    pub value: String,
    /// The time of the candle, as in clean CSV.
    pub time: String,
}

impl DoesNotFit {
    pub(crate) fn new(column: &'static str, value: impl ToString, time: CandleTime, interval: Interval) -> Self {
        Self { column, value: value.to_string(), time: time.display(interval).to_string() }
    }
}

/// Returns a number multiplied by 10 to the power of [`SCALE`], or `None` if that has a fraction or too many digits.
#[must_use]
pub fn unscaled(number: Decimal) -> Option<i128> {
    let missing = SCALE.unsigned_abs().checked_sub(number.scale())?;
    let unscaled = number.mantissa().checked_mul(*POWERS.get(usize::from(missing))?)?;
    (unscaled.unsigned_abs() < LIMIT).then_some(unscaled)
}

/// The number one.
pub(crate) const ONE: i128 = POWERS[SCALE as usize];

const LIMIT: u128 = 10_u128.pow(PRECISION as u32);

/// The powers of ten up to that of the scale: computing one takes longer than everything else here.
pub(crate) const POWERS: [i128; SCALE as usize + 1] = {
    let mut powers = [1; SCALE as usize + 1];
    let mut power = 1;
    while power < powers.len() {
        powers[power] = powers[power - 1] * 10;
        power += 1;
    }
    powers
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Option<i128> {
        unscaled(text.parse().unwrap())
    }

    #[test]
    fn a_number_is_aligned_to_the_scale() {
        assert_eq!(of("0"), Some(0));
        assert_eq!(of("1.5"), Some(150_000_000_000_000_000_000));
        assert_eq!(of("-0.05"), Some(-5_000_000_000_000_000_000));
        assert_eq!(of("0.00000000000000000001"), Some(1));
        assert_eq!(of("999999999999999999"), Some(99_999_999_999_999_999_900_000_000_000_000_000_000));
    }

    #[test]
    fn a_number_with_too_many_digits_is_not_rounded() {
        for text in ["0.000000000000000000001", "1000000000000000000", "-1000000000000000000.5"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn every_price_that_a_program_wrote_as_a_float_fits() {
        for price in [0.1 + 0.2, 0.000_1 + f64::EPSILON / 1e5, 1.0 / 3.0, 98_765.432_109_876_54, 1e15 / 3.0] {
            assert!(of(&price.to_string()).is_some(), "{price}");
        }
    }

    proptest! {
        #[test]
        fn what_fits_keeps_its_value(mantissa in -10_i128.pow(17)..10_i128.pow(17), scale in 0_u32..=17) {
            let text = format!("{mantissa}e-{scale}");
            let expected = mantissa * 10_i128.pow(20 - scale);
            prop_assert_eq!(of(&text), Some(expected));
        }
    }
}
