//! Parses times as people, spreadsheets and brokers write them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use super::months;

/// The order of year, month and day in a date of numbers; the variant is the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `24/12/30`
    Year,
    /// `30/12/2024`
    Day,
    /// `12/30/2024`
    Month,
}

impl Order {
    pub const ALL: [Self; 3] = [Self::Year, Self::Day, Self::Month];
}

/// A text with a date whose order of day and month may still be open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment<'a> {
    date: Parts,
    pub time: Option<Time>,
    pub zone: Zone<'a>,
}

/// The time zone in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone<'a> {
    /// The text has no zone.
    Unsaid,
    /// An offset from UTC.
    Offset(Offset),
    /// An IANA name.
    Named(&'a str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Parts {
    /// The text has only one reading.
    Known(Date),
    /// Three numbers: the last is a year of four digits, or all have at most two digits.
    Numbers { parts: [i16; 3], has_long_year: bool, sign: char },
}

impl<'a> Moment<'a> {
    /// Parses a text that begins with a date.
    pub fn read(text: &'a str) -> Option<Self> {
        let text = without_weekday(text.trim());
        let (date, rest) = date(text)?;
        let (time, zone) = time_and_zone(rest)?;
        Some(Self { date, time, zone })
    }

    /// The date, read in the given order if the text has several readings; `None` if that order is impossible.
    pub fn date(&self, order: Order) -> Option<Date> {
        let &Parts::Numbers { parts: [a, b, c], has_long_year, sign } = &self.date else { return self.known() };
        // A date with points never begins with the month.
        let is_possible = match order {
            Order::Year => !has_long_year,
            Order::Day => true,
            Order::Month => sign != '.',
        };
        let (year, month, day) = match order {
            Order::Year => (a, b, c),
            Order::Day => (c, b, a),
            Order::Month => (c, a, b),
        };
        is_possible.then(|| new_date(if has_long_year { year } else { century(year) }, month, day)).flatten()
    }

    /// The date, if the text has only one reading.
    pub fn known(&self) -> Option<Date> {
        match self.date {
            Parts::Known(date) => Some(date),
            Parts::Numbers { .. } => None,
        }
    }

    /// The format of its date for `--date-format`, if it is in this order.
    pub fn format(&self, order: Order) -> String {
        let Parts::Numbers { has_long_year, sign, .. } = self.date else { return "%Y-%m-%d".to_owned() };
        let year = if has_long_year { "%Y" } else { "%y" };
        let names = match order {
            Order::Year => [year, "%m", "%d"],
            Order::Day => ["%d", "%m", year],
            Order::Month => ["%m", "%d", year],
        };
        names.join(&sign.to_string())
    }

    /// Combines the date with the time of day, or with midnight if there is none.
    pub fn civil(&self, date: Date) -> DateTime {
        date.to_datetime(self.time.unwrap_or(Time::midnight()))
    }
}

/// Expands a year of two digits: those from 69 on are in the 1900s, as in POSIX.
fn century(year: i16) -> i16 {
    if year >= 69 { 1900 + year } else { 2000 + year }
}

fn new_date(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn without_weekday(text: &str) -> &str {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let letters = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(letters);
    let is_day = word.len() >= 3
        && DAYS.iter().any(|day| word.to_ascii_lowercase().starts_with(day))
        && months::of(word).is_none();
    if is_day { rest.trim_start_matches([',', ' ', '.']) } else { text }
}

/// Splits a text into the date at its start and the rest.
fn date(text: &str) -> Option<(Parts, &str)> {
    let (first, rest) = part(text)?;
    if let Part::Number(number, 8) = first {
        let known = new_date((number / 10_000) as i16, (number / 100 % 100) as i16, (number % 100) as i16)?;
        return Some((Parts::Known(known), rest));
    }
    let (sign, rest) = separator(rest)?;
    let (second, rest) = part(rest)?;
    let (_, rest) = separator(rest)?;
    let (third, rest) = part(rest)?;
    Some((parts([first, second, third], sign)?, rest.strip_prefix('日').unwrap_or(rest)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A number, and its count of digits.
    Number(u32, usize),
    /// A month, from its name.
    Month(i16),
}

fn part(text: &str) -> Option<(Part, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits > 0 {
        let (number, rest) = text.split_at(digits);
        let number = (digits <= 8).then(|| number.parse().ok()).flatten()?;
        return Some((Part::Number(number, digits), without_ordinal(rest)));
    }
    let letters = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let (name, rest) = text.split_at(letters);
    Some((Part::Month(months::of(name)?), rest.strip_prefix('.').unwrap_or(rest)))
}

/// Strips the ending of an ordinal number such as `5th` or `1st`.
fn without_ordinal(text: &str) -> &str {
    let rest = ["st", "nd", "rd", "th"].iter().find_map(|ending| text.strip_prefix(ending));
    rest.filter(|rest| rest.starts_with([' ', ','])).unwrap_or(text)
}

/// Splits the separator between two parts from the rest, and returns its first character. None is needed next to a
/// month's name.
fn separator(text: &str) -> Option<(char, &str)> {
    const SIGNS: [char; 7] = ['/', '-', '.', ',', ' ', '年', '月'];
    let rest = text.trim_start_matches(SIGNS);
    let length = text.len() - rest.len();
    let sign = text.chars().next()?;
    match length {
        0 => Some((' ', text)).filter(|_| sign.is_alphanumeric()),
        _ => (text[..length].chars().count() <= 2).then_some((sign, rest)),
    }
}

fn parts(parts: [Part; 3], sign: char) -> Option<Parts> {
    use Part::{Month, Number};
    let year = |year: u32, digits: usize| match digits {
        4 => i16::try_from(year).ok(),
        2 => i16::try_from(year).ok().map(century),
        _ => None,
    };
    let known = |year: Option<i16>, month: i16, day: u32| Some(Parts::Known(new_date(year?, month, day as i16)?));
    match parts {
        [Number(y, 4), Number(m, 1..=2), Number(d, 1..=2)] => known(Some(y as i16), m as i16, d),
        [Number(y, 4), Month(m), Number(d, 1..=2)] => known(Some(y as i16), m, d),
        [Number(d, 1..=2), Month(m), Number(y, digits)] => known(year(y, digits), m, d),
        [Month(m), Number(d, 1..=2), Number(y, digits)] => known(year(y, digits), m, d),
        [Number(a, 1..=2), Number(b, 1..=2), Number(c, digits @ (2 | 4))] => {
            Some(Parts::Numbers { parts: [a as i16, b as i16, c as i16], has_long_year: digits == 4, sign })
        }
        _ => None,
    }
}

/// Parses the time of day and the zone after a date.
fn time_and_zone(text: &str) -> Option<(Option<Time>, Zone<'_>)> {
    let text = text.split_once('(').map_or(text, |(text, _)| text);
    let rest = text.trim().trim_start_matches([',', '_', ';']).trim_start();
    let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest);
    let rest = rest.strip_prefix("at ").unwrap_or(rest);
    if rest.is_empty() {
        return text.trim().is_empty().then_some((None, Zone::Unsaid));
    }
    let length = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ','))).unwrap_or(rest.len());
    let (clock, rest) = rest.split_at(length);
    if clock.is_empty() {
        return Some((None, zone(rest)?));
    }
    let (half, rest) = half_day(rest.trim_start());
    Some((Some(time_of_day(clock, half)?), zone(rest)?))
}

/// Parses `AM` or `PM` at the start of a text; true is PM. Returns the rest as well.
fn half_day(text: &str) -> (Option<bool>, &str) {
    let found = [("am", false), ("pm", true), ("a.m.", false), ("p.m.", true)].into_iter().find_map(|(word, is_pm)| {
        let (start, rest) = text.split_at_checked(word.len())?;
        let is_whole = !rest.starts_with(|c: char| c.is_alphanumeric());
        (start.eq_ignore_ascii_case(word) && is_whole).then_some((Some(is_pm), rest))
    });
    found.unwrap_or((None, text))
}

/// Parses `9:30`, `09:30:00.000`, `0930`, `093000` and `9`; on the twelve-hour clock if `is_pm` is given.
pub fn time_of_day(text: &str, is_pm: Option<bool>) -> Option<Time> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let parts: Vec<&str> = if whole.contains(':') { whole.split(':').collect() } else { pairs(whole)? };
    let is_part = |part: &&str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(is_part) || !fraction.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let number = |at: usize| parts.get(at).map_or(Some(0_i8), |part| part.parse().ok());
    let hour = match (number(0)?, is_pm) {
        (hour, None) => hour,
        (12, Some(false)) => 0,
        (12, Some(true)) => 12,
        (hour @ 1..12, Some(is_pm)) => hour + if is_pm { 12 } else { 0 },
        _ => return None,
    };
    Time::new(hour, number(1)?, number(2)?, 0).ok()
}

fn pairs(digits: &str) -> Option<Vec<&str>> {
    match digits.len() {
        1 | 2 => Some(vec![digits]),
        4 => Some(vec![digits.get(..2)?, digits.get(2..)?]),
        6 => Some(vec![digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?]),
        _ => None,
    }
}

/// Parses a cell that is only a time of day: `09:30`, `093000`, `9:30 AM`.
pub fn clock(text: &str) -> Option<Time> {
    let text = text.trim();
    let length = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.'))).unwrap_or(text.len());
    let (clock, rest) = text.split_at(length);
    let (half, rest) = half_day(rest.trim_start());
    let is_long_enough = clock.len() > 2 || half.is_some();
    (rest.is_empty() && is_long_enough).then(|| time_of_day(clock, half)).flatten()
}

/// Parses `Z`, `UTC`, `GMT+0100`, `-05:00`, `EST` and `US/Eastern`.
fn zone(text: &str) -> Option<Zone<'_>> {
    let text = text.trim();
    let offset = |hours: i8| Some(Zone::Offset(Offset::constant(hours)));
    match text {
        "" => Some(Zone::Unsaid),
        "Z" | "z" | "UTC" | "GMT" => offset(0),
        "EST" => offset(-5),
        "EDT" => offset(-4),
        _ if text.contains('/') => TimeZone::get(text).is_ok().then_some(Zone::Named(text)),
        _ => {
            let bare = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
            distance(bare).map(Zone::Offset)
        }
    }
}

/// Parses `+01:00`, `+0100`, `-5`.
fn distance(text: &str) -> Option<Offset> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let number =
        |text: &str| text.parse::<i32>().ok().filter(|_| text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit()));
    Offset::from_seconds(sign * (number(hours)? * 3600 + number(minutes)? * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distinct readings of a text.
    fn read(text: &str) -> Vec<String> {
        let Some(moment) = Moment::read(text) else { return Vec::new() };
        let mut read: Vec<String> = Order::ALL
            .iter()
            .filter_map(|order| moment.date(*order))
            .map(|date| {
                let zone = match moment.zone {
                    Zone::Unsaid => String::new(),
                    Zone::Offset(offset) => offset.to_string(),
                    Zone::Named(name) => name.to_owned(),
                };
                let time = moment.time.map(|time| format!(" {time}")).unwrap_or_default();
                format!("{date}{time}{zone}")
            })
            .collect();
        read.dedup();
        read
    }

    #[test]
    fn times_of_every_usual_form_are_read() {
        for (text, expected) in [
            ("2024/01/05", "2024-01-05"),
            ("2024.01.05 09:30", "2024-01-05 09:30:00"),
            ("2024-1-5", "2024-01-05"),
            ("2024年1月5日", "2024-01-05"),
            ("Jan 05, 2024", "2024-01-05"),
            ("Fri, 5 January 2024", "2024-01-05"),
            ("02-JAN-2024", "2024-01-02"),
            ("2-Jan-24", "2024-01-02"),
            ("05JAN2024", "2024-01-05"),
            ("5th March 2024", "2024-03-05"),
            ("5 mai 2024", "2024-05-05"),
            ("01.05.2024", "2024-05-01"),
            ("01.01.2024 00:00:00.000 GMT+0100", "2024-01-01 00:00:00+01"),
            ("20240102 09:30:00 US/Eastern", "2024-01-02 09:30:00US/Eastern"),
            ("20240102  09:30:00", "2024-01-02 09:30:00"),
            ("2024-01-02 09:30:00 EST", "2024-01-02 09:30:00-05"),
            ("2024-01-05 9:30 PM", "2024-01-05 21:30:00"),
            ("2024-01-05 12:00 a.m.", "2024-01-05 00:00:00"),
            ("Tue Jan 02 2024 00:00:00 GMT-0500 (Eastern Standard Time)", "2024-01-02 00:00:00-05"),
            ("31/01/2024", "2024-01-31"),
            ("01/31/2024 16:00", "2024-01-31 16:00:00"),
        ] {
            assert_eq!(read(text), [expected], "{text}");
        }
        assert_eq!(read("01/02/2024"), ["2024-02-01", "2024-01-02"]);
        assert_eq!(read("25/01/24"), ["2025-01-24", "2024-01-25"]);
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "N/A",
            "100.5",
            "1,234",
            "1704067200",
            "2024-02-30",
            "99/99/2024",
            "2024-01-02 25:00",
            "1/2",
            "Jan 2024",
            "2024-01-02 09:30:00.5",
            "2024-01-02 noon",
            "Average 1 2 3",
            "2024-01-02 09:30 Mars/Olympus",
            "1-2-3-4",
        ] {
            assert_eq!(read(text), [""; 0], "{text}");
        }
        assert_eq!(
            (clock("0930"), clock("9"), clock("9 AM").map(|time| time.hour())),
            (Time::new(9, 30, 0, 0).ok(), None, Some(9))
        );
    }
}
