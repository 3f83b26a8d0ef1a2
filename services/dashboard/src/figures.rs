//! Numbers and times for display. Exact digits stay exact: prices are texts before and after.
//!
//! Templates pass references and code passes values, so the functions accept both.

use std::borrow::Borrow;

use candlewick_shared::core::time_text;
use jiff::Timestamp;

/// A duration in its largest unit, rounded down: `21 h`, `3 d`.
pub fn span(seconds: impl Borrow<i64>) -> String {
    time_text::span(*seconds.borrow())
}

/// An integer with its digits in groups of three.
pub fn grouped(number: impl Borrow<i64>) -> String {
    let number = *number.borrow();
    let sign = if number < 0 { "−" } else { "" };
    format!("{sign}{}", in_groups(&number.unsigned_abs().to_string()))
}

fn in_groups(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A time to the second, in UTC.
pub fn moment(time: impl Borrow<Timestamp>) -> String {
    time.borrow().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A decimal with its digits grouped and without trailing zeros, but with at least two decimal places: `252.20`,
/// `0.000013`.
pub fn price(text: &str) -> String {
    decimal(text, 2)
}

/// A decimal with its digits grouped and at least this many decimal places, and without further trailing zeros.
pub fn decimal(text: &str, least: usize) -> String {
    let plain = text.trim_start_matches('-');
    let sign = if plain.len() < text.len() { "−" } else { "" };
    let (whole, places) = plain.split_once('.').unwrap_or((plain, ""));
    let kept = places.trim_end_matches('0');
    let kept = format!("{kept:0<least$}");
    format!("{sign}{}{}{kept}", in_groups(whole), if kept.is_empty() { "" } else { "." })
}

/// A computed number with eight digits that count: its other digits are those of a float.
pub fn rounded(number: f64) -> String {
    const DIGITS: i32 = 8;
    let whole = if number == 0.0 { 1 } else { number.abs().log10().floor() as i32 + 1 };
    let places = (DIGITS - whole).clamp(0, 12) as usize;
    price(&format!("{number:.places$}"))
}

/// A change with its sign: `+0.50`, `−1.33`.
pub fn signed(text: &str) -> String {
    let sign = if text.starts_with('-') { "" } else { "+" };
    format!("{sign}{}", price(text))
}

/// A count with its noun: `1 candle`, `2 candles`.
pub fn counted(number: impl Borrow<i64>, what: &str) -> String {
    let number = *number.borrow();
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A count of series; the word has no separate plural.
pub fn counted_series(number: impl Borrow<usize>) -> String {
    format!("{} series", grouped(i64::try_from(*number.borrow()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, -1_234_567].map(grouped), ["0", "999", "1\u{202f}000", "−1\u{202f}234\u{202f}567"]);
        assert_eq!(["252.20000", "252", "0.000013", "7.1"].map(price), ["252.20", "252.00", "0.000013", "7.10"]);
        assert_eq!(["98626643.5", "-1234.5"].map(price), ["98\u{202f}626\u{202f}643.50", "−1\u{202f}234.50"]);
        assert_eq!(["1234.0", "0.50"].map(|text| decimal(text, 0)), ["1\u{202f}234", "0.5"]);
        assert_eq!(
            [69_296.623_333_333, 0.0, -0.000_012_345_678_9].map(rounded),
            ["69\u{202f}296.623", "0.00", "−0.000012345679"]
        );
        assert_eq!(["-1.33", "0.5", "0.00"].map(signed), ["−1.33", "+0.50", "+0.00"]);
        assert_eq!([1, 2_000].map(|number| counted(number, "candle")), ["1 candle", "2\u{202f}000 candles"]);
    }
}
