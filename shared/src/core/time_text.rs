//! Times as sources write them, before they are interpreted as the time of a candle.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, civil};

/// A parsed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeText {
    /// A date without a time of day: `2024-12-30`, `20241230`.
    Date(Date),
    /// A date and a time of day without an offset: local time in an unknown zone.
    Local(DateTime),
    /// An instant, and the local time at the offset in the text; in UTC if the text is Unix time.
    Instant(Timestamp, DateTime),
}

impl TimeText {
    /// Parses `2024-12-30`, `2024-12-30 09:30[:00]`, `2024-12-30T09:30:00Z`, `… 09:30:00-05:00`, the same without
    /// separators, and Unix time in seconds, milliseconds, microseconds or nanoseconds. Returns `None` for anything
    /// else, such as 12 digits, which could be minutes or milliseconds.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.is_ascii() {
            return None;
        }
        if let Some(instant) = unix(text) {
            return Some(Self::Instant(instant, jiff::tz::Offset::UTC.to_datetime(instant)));
        }
        if is_date(text) {
            return text.parse().ok().map(Self::Date);
        }
        let (date, rest) = split_date(text)?;
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let rest = rest.strip_prefix([' ', 'T', 't', '_']).unwrap_or(rest).trim_start();
        let (time, offset) = split_offset(rest);
        let civil = date.to_datetime(time_of_day(time)?);
        let offset = match offset {
            None => return Some(Self::Local(civil)),
            Some("Z" | "z") => "+00".to_owned(),
            Some(offset) => offset.to_owned(),
        };
        let instant = format!("{civil}{offset}").parse().ok()?;
        Some(Self::Instant(instant, civil))
    }

    /// The date that a text starts with, for a text that [`Self::read`] does not understand as a time.
    #[must_use]
    pub fn date_in(text: &str) -> Option<Date> {
        split_date(text.trim()).map(|(date, _)| date)
    }
}

/// Whether the text has the form of a date: `2024-12-30` or `20241230`.
/// A span of time in its largest useful unit, rounded down: `21 h`, `3 d`.
#[must_use]
pub fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn is_date(text: &str) -> bool {
    let digits = |from: usize, to: usize| text.as_bytes()[from..to].iter().all(u8::is_ascii_digit);
    match text.len() {
        8 => digits(0, 8),
        10 => digits(0, 4) && digits(5, 7) && digits(8, 10) && &text[4..5] == "-" && &text[7..8] == "-",
        _ => false,
    }
}

/// Splits a text into a date and the rest.
fn split_date(text: &str) -> Option<(Date, &str)> {
    [10, 8].into_iter().find_map(|length| {
        let (date, rest) = text.split_at_checked(length)?;
        is_date(date).then(|| Some((date.parse().ok()?, rest)))?
    })
}

/// Splits a time of day from the offset after it, if there is one.
fn split_offset(text: &str) -> (&str, Option<&str>) {
    match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (text[..at].trim_end(), Some(&text[at..])),
        None => (text, None),
    }
}

/// Parses `09`, `09:30`, `09:30:00`, `09:30:00.000`, `0930` and `093000`.
fn time_of_day(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_zero = fraction.bytes().all(|byte| byte == b'0');
    let digits: String = if whole.contains(':') {
        let parts: Vec<&str> = whole.split(':').collect();
        let is_time = parts.len() <= 3 && parts.iter().all(|part| is_digits(part) && part.len() <= 2);
        if !is_time {
            return None;
        }
        parts.iter().map(|part| format!("{part:0>2}")).collect()
    } else {
        whole.to_owned()
    };
    if !is_digits(&digits) || !is_zero {
        return None;
    }
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), |part| part.parse().ok());
    match digits.len() {
        2 | 4 | 6 => civil::Time::new(part(0)?, part(2)?, part(4)?, 0).ok(),
        _ => None,
    }
}

/// Parses Unix time. The number of digits gives the unit: 9 or 10 for seconds (from 1973 on), and 13, 16 and 19 for
/// the smaller units (from 2001 on).
fn unix(text: &str) -> Option<Timestamp> {
    let whole = text.strip_suffix(".0").unwrap_or(text);
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let instant = match whole.len() {
        9 | 10 => Timestamp::from_second(number).ok(),
        13 => Timestamp::from_millisecond(number).ok(),
        16 => Timestamp::from_microsecond(number).ok(),
        19 => Timestamp::from_nanosecond(number.into()).ok(),
        _ => None,
    };
    // No candle starts within a second. Some sources write such a time as the end of a candle.
    instant.filter(|instant| instant.subsec_nanosecond() == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_is_written_in_its_largest_unit() {
        assert_eq!([-5, 59, 61, 7_200, 200_000].map(span), ["0 s", "59 s", "1 min", "2 h", "2 d"]);
    }

    #[test]
    fn every_usual_form_is_read() {
        let civil: DateTime = "2024-01-05T14:30:00".parse().unwrap();
        let date = civil.date();
        let instant = |text: &str| text.parse::<Timestamp>().unwrap();
        let hour = date.at(14, 0, 0, 0);
        let utc = instant("2024-01-05T14:30:00Z");
        let new_york = instant("2024-01-05T19:30:00Z");
        for (text, expected) in [
            ("2024-01-05", TimeText::Date(date)),
            ("20240105", TimeText::Date(date)),
            ("2024-01-05 14", TimeText::Local(hour)),
            ("20240105 143000", TimeText::Local(civil)),
            ("20240105143000", TimeText::Local(civil)),
            ("2024-01-05 1430", TimeText::Local(civil)),
            ("2024-01-05T14:30", TimeText::Local(civil)),
            ("2024-01-05 14:30:00.000", TimeText::Local(civil)),
            ("2024-01-05T14:30:00.000Z", TimeText::Instant(utc, civil)),
            ("2024-01-05 14:30:00-05:00", TimeText::Instant(new_york, civil)),
            ("2024-01-05T14:30:00-0500", TimeText::Instant(new_york, civil)),
            ("2024-01-05 14:30:00+00", TimeText::Instant(utc, civil)),
            ("1704465000", TimeText::Instant(utc, civil)),
            ("1704465000.0", TimeText::Instant(utc, civil)),
            ("1704465000000", TimeText::Instant(utc, civil)),
            ("1704465000000000", TimeText::Instant(utc, civil)),
            ("1704465000000000000", TimeText::Instant(utc, civil)),
        ] {
            assert_eq!(TimeText::read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_could_be_two_things_or_none_is_not_read() {
        for text in [
            "",
            "N/A",
            "T",
            "2024-02-30",
            "30/12/2024",
            "01/02/2024",
            "2024-12-30 25:00:00",
            "202401050930",
            "45292",
            "2024-01-05 9:30 PM",
            "2024-01-05 14:30:00.5",
            "2024-01-05 14:30:00 EST",
            "1.7e9",
            "1704465000500",
            "1704239999999",
            "1704465000000000001",
            "2024-1-5",
            "١٧٠٤٠٦٧٢٠٠",
        ] {
            assert_eq!(TimeText::read(text), None, "{text}");
        }
        assert_eq!(TimeText::date_in("2024-01-05 9:30 PM"), Some(civil::date(2024, 1, 5)));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}", date in "[0-9]{4}-?[0-9]{2}-?[0-9]{2}.{0,12}") {
            let _ = (TimeText::read(&text), TimeText::read(&date), TimeText::date_in(&date));
        }
    }
}
