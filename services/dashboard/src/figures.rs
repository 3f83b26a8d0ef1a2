//! Numbers and times as people read them. Exact digits stay exact: prices come and go as text.
//!
//! Templates hand over references and code hands over values: both are taken.

use std::borrow::Borrow;

use jiff::Timestamp;

/// A span of time in its largest unit that is whole: `21 h`, `3 d`.
#[must_use]
pub fn span(seconds: impl Borrow<i64>) -> String {
    match *seconds.borrow() {
        ..1 => "0 s".to_owned(),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// A whole number, its digits in groups of three.
#[must_use]
pub fn grouped(number: impl Borrow<i64>) -> String {
    let number = *number.borrow();
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "−".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A time to the second, in UTC.
#[must_use]
pub fn moment(time: impl Borrow<Timestamp>) -> String {
    time.borrow().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A decimal's text without the zeros behind its last digit, but with two places at least: `252.20`, `0.000013`.
#[must_use]
pub fn price(text: &str) -> String {
    let Some((whole, places)) = text.split_once('.') else { return format!("{text}.00") };
    let kept = places.trim_end_matches('0');
    format!("{whole}.{kept:0<2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, -1_234_567].map(grouped), ["0", "999", "1\u{202f}000", "−1\u{202f}234\u{202f}567"]);
        assert_eq!(["252.20000", "252", "0.000013", "7.1"].map(price), ["252.20", "252.00", "0.000013", "7.10"]);
        assert_eq!([-5, 59, 61, 7_200, 200_000].map(span), ["0 s", "59 s", "1 min", "2 h", "2 d"]);
    }
}
