//! Exact decimal prices.

/// Units of a [`Price`] per unit of currency. TwelveData quotes at most five decimals, so every price is a whole number
/// of units.
pub const UNITS: i64 = 100_000;

const DECIMALS: usize = 5;

/// A price in hundred-thousandths of its currency. It may be zero or negative, because vendors send such prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(i64);

/// The number of decimals of a formatted price (the API's `dp`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimals {
    /// As many as needed, but at least one: `dp=-1`, the API's default.
    Auto,
    /// This number of decimals, 0 to 11. Halves are rounded away from zero.
    Fixed(usize),
}

impl Price {
    /// Creates a price from hundred-thousandths.
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// Returns the price in hundred-thousandths.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Parses a decimal such as `258.19`: digits, optionally followed by a point and at most five more.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > DECIMALS || !digits(whole) || !digits(fraction) {
            return None;
        }
        format!("{whole}{fraction:0<DECIMALS$}").parse().ok().map(Self)
    }

    /// Multiplies the price by `ratio` and rounds to the nearest unit.
    pub fn scaled(self, ratio: f64) -> Self {
        Self((self.0 as f64 * ratio).round() as i64)
    }

    /// Formats the price as the API does.
    pub fn text(self, decimals: Decimals) -> String {
        match decimals {
            Decimals::Auto => self.shortest(),
            Decimals::Fixed(places) if places < DECIMALS => self.rounded(places),
            Decimals::Fixed(places) => format!("{}{}", self.with_point(DECIMALS), "0".repeat(places - DECIMALS)),
        }
    }

    fn shortest(self) -> String {
        let text = self.with_point(DECIMALS);
        let trimmed = text.trim_end_matches('0');
        let point_zero = if trimmed.ends_with('.') { "0" } else { "" };
        format!("{trimmed}{point_zero}")
    }

    fn rounded(self, places: usize) -> String {
        let divisor = (places..DECIMALS).fold(1, |product, _| product * 10);
        let nearest = (self.0.abs() + divisor / 2) / divisor;
        Self(self.0.signum() * nearest).with_point(places)
    }

    /// Formats the number with a decimal point before its last `places` digits.
    fn with_point(self, places: usize) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.0.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let point = if places == 0 { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_price_is_written_with_the_decimals_asked_for() {
        let price = Price::parse("148.735").unwrap();
        for (decimals, text) in [
            (Decimals::Auto, "148.735"),
            (Decimals::Fixed(0), "149"),
            (Decimals::Fixed(2), "148.74"),
            (Decimals::Fixed(5), "148.73500"),
            (Decimals::Fixed(11), "148.73500000000"),
        ] {
            assert_eq!(price.text(decimals), text);
        }
    }

    #[test]
    fn small_whole_and_negative_prices_are_written_plainly() {
        assert_eq!(Price::from_units(1).text(Decimals::Auto), "0.00001");
        assert_eq!(Price::from_units(131 * UNITS).text(Decimals::Auto), "131.0");
        assert_eq!(Price::from_units(-UNITS).text(Decimals::Fixed(2)), "-1.00");
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in ["", ".", "1.234567", "-1", "1e5", "1,5", " 1", "NaN"] {
            assert_eq!(Price::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_what_was_written_gives_the_price_back(units in 0i64..1_000_000_000_000) {
            let price = Price::from_units(units);
            prop_assert_eq!(Price::parse(&price.text(Decimals::Auto)), Some(price));
            prop_assert_eq!(Price::parse(&price.text(Decimals::Fixed(5))), Some(price));
        }
    }
}
