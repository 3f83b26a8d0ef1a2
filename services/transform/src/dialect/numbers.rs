//! Parses numbers as people and spreadsheets write them.

use std::borrow::Cow;

use candlewick_shared::core::decimal::Decimal;

/// The decimal mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// `1,234.5`
    Point,
    /// `1.234,5`
    Comma,
}

impl Mark {
    fn signs(self) -> (char, char) {
        match self {
            Self::Point => ('.', ','),
            Self::Comma => (',', '.'),
        }
    }
}

/// Currency signs, which may be before or after a price.
const CURRENCIES: [&str; 13] = ["US$", "A$", "C$", "HK$", "$", "€", "£", "¥", "￥", "₹", "₩", "zł", "Rs."];

/// The units of volumes, with their powers of ten.
const UNITS: [(&str, u8); 14] = [
    ("mln", 6),
    ("mio", 6),
    ("mn", 6),
    ("bn", 9),
    ("mld", 9),
    ("k", 3),
    ("m", 6),
    ("b", 9),
    ("t", 12),
    ("万", 4),
    ("萬", 4),
    ("亿", 8),
    ("億", 8),
    ("tsd", 3),
];

/// Converts a number with this decimal mark to the form of raw CSV; `None` if the text is not such a number. Only
/// volumes have a unit.
pub fn read(cell: &str, mark: Mark, has_unit: bool) -> Option<Cow<'_, str>> {
    if is_plain(cell, mark) {
        return Some(Cow::Borrowed(cell));
    }
    let bare = without_currency(cell.trim());
    let (bare, exponent) = if has_unit { without_unit(bare) } else { (bare, 0) };
    let (mantissa, power) = split_power(bare);
    let mut number = ungrouped(mantissa, mark)?;
    match (exponent, power) {
        (0, "") => {}
        (0, power) => number.push_str(power),
        (exponent, "") => number.push_str(&format!("e{exponent}")),
        _ => return None,
    }
    Decimal::parse(number.as_bytes()).is_ok().then_some(Cow::Owned(number))
}

/// Whether raw CSV reads the text as the same number.
fn is_plain(cell: &str, mark: Mark) -> bool {
    let is_same = mark == Mark::Point || !cell.contains('.');
    is_same && Decimal::parse(cell.as_bytes()).is_ok()
}

/// The currency in a cell.
pub fn currency(cell: &str) -> Option<&'static str> {
    let cell = cell.trim();
    CURRENCIES.into_iter().find(|sign| cell.starts_with(sign) || cell.ends_with(sign))
}

/// Whether a price is written in fractions, as bonds are: `110'16` is 110 and 16/32.
pub fn is_fraction(cell: &str) -> bool {
    cell.split_once('\'').is_some_and(|(whole, rest)| are_digits(whole) && are_digits(rest) && rest.len() == 2)
}

fn without_currency(text: &str) -> &str {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let is_code = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let before = CURRENCIES.iter().find_map(|currency| rest.strip_prefix(currency));
    let before = before.or_else(|| rest.split_once(' ').filter(|(code, _)| is_code(code)).map(|(_, rest)| rest));
    let after = CURRENCIES.iter().find_map(|currency| text.strip_suffix(currency));
    let after = after.or_else(|| text.rsplit_once(' ').filter(|(_, code)| is_code(code)).map(|(rest, _)| rest));
    match (before, after) {
        (Some(before), _) if !sign => before.trim(),
        (None, Some(after)) => after.trim(),
        _ => text,
    }
}

fn without_unit(text: &str) -> (&str, u8) {
    let found = UNITS.iter().find_map(|(unit, exponent)| {
        let (number, end) = text.split_at_checked(text.len().checked_sub(unit.len())?)?;
        let is_number = number.trim_end().ends_with(|c: char| c.is_ascii_digit());
        (is_number && end.eq_ignore_ascii_case(unit)).then(|| (number.trim_end(), *exponent))
    });
    found.unwrap_or((text, 0))
}

/// Splits off the power of ten in `1,5e+05`, with its `e`.
fn split_power(text: &str) -> (&str, &str) {
    text.find(['e', 'E']).map_or((text, ""), |at| text.split_at(at))
}

/// Replaces the decimal mark with a point and removes the separators of thousands.
fn ungrouped(text: &str, mark: Mark) -> Option<String> {
    let (point, comma) = mark.signs();
    let (sign, unsigned) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = unsigned.split_once(point).map_or((unsigned, None), |(whole, rest)| (whole, Some(rest)));
    let whole = ungroup(whole, comma)?;
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match fraction {
        Some(fraction) if !fraction.is_empty() && are_digits(fraction) => Some(format!("{sign}{whole}.{fraction}")),
        Some(_) => None,
        None => Some(format!("{sign}{whole}")),
    }
}

/// Removes the separators of thousands. Groups have three digits, or two except for the last group, as in India.
fn ungroup(text: &str, comma: char) -> Option<String> {
    const OTHERS: [char; 6] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '\u{2019}'];
    let separator = text.chars().find(|c| *c == comma || OTHERS.contains(c));
    let Some(separator) = separator else { return are_digits(text).then(|| text.to_owned()) };
    let groups: Vec<&str> = text.split(separator).collect();
    let (first, rest) = groups.split_first()?;
    let (last, middle) = rest.split_last()?;
    let is_western = middle.iter().all(|group| group.len() == 3);
    let is_indian = separator == ',' && middle.iter().all(|group| group.len() == 2) && first.len() <= 2;
    let is_first = (1..=3).contains(&first.len()) && !first.starts_with('0');
    let fits = is_first && last.len() == 3 && (is_western || is_indian) && groups.iter().all(|group| are_digits(group));
    fits.then(|| groups.concat())
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Evidence for the decimal mark of a file, from its cells.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// How many cells are only numbers with a decimal comma; a cell that has a point as well counts twice.
    commas: u64,
    is_no_comma: bool,
    /// The line and content of the first cell with a comma that is a number with either mark, but not the same one.
    either: Option<(u64, String)>,
}

/// The decimal mark of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    By(Mark),
    /// Undecided between 1,234 and 1.234: the line and content of an example.
    Either(u64, String),
}

impl Marks {
    /// Adds the evidence of a cell.
    pub fn see(&mut self, cell: &str, has_unit: bool, line: u64) {
        if !cell.contains([',', '.']) {
            return;
        }
        let point = read(cell, Mark::Point, has_unit);
        let comma = read(cell, Mark::Comma, has_unit);
        match (point, comma) {
            (None, None) => {}
            (None, Some(_)) => self.commas += if cell.contains('.') { 2 } else { 1 },
            (Some(_), None) => self.is_no_comma = true,
            // A single point was always read as the decimal mark.
            (Some(_), Some(_)) if cell.contains(',') && self.either.is_none() => {
                self.either = Some((line, cell.to_owned()))
            }
            (Some(_), Some(_)) => {}
        }
    }

    /// The decimal mark of the file. A single cell that needs a comma could be a typo. If cells contradict each
    /// other, the point is used and the cells that need a comma are quarantined.
    pub fn settle(self) -> Settled {
        match (self.commas >= 2, self.is_no_comma, self.either) {
            (true, false, _) => Settled::By(Mark::Comma),
            (false, false, Some((line, cell))) => Settled::Either(line, cell),
            _ => Settled::By(Mark::Point),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(cell: &str) -> (Option<String>, Option<String>) {
        let by = |mark| read(cell, mark, true).map(Cow::into_owned);
        (by(Mark::Point), by(Mark::Comma))
    }

    #[test]
    fn numbers_of_every_usual_form_are_read() {
        let text = |text: &str| Some(text.to_owned());
        for (cell, point, comma) in [
            ("100.5", text("100.5"), None),
            ("100,5", None, text("100.5")),
            ("1,234.50", text("1234.50"), None),
            ("1.234,50", None, text("1234.50")),
            ("1,234", text("1234"), text("1.234")),
            ("12,34,567", text("1234567"), None),
            ("1.234.567", None, text("1234567")),
            ("1 234,5", None, text("1234.5")),
            ("1'234.5", text("1234.5"), None),
            ("0,123", None, text("0.123")),
            ("$101.50", text("101.50"), None),
            ("101,50 €", None, text("101.50")),
            ("USD 7", text("7"), text("7")),
            ("82.49M", text("82.49e6"), None),
            ("1,5K", None, text("1.5e3")),
            ("3.2亿", text("3.2e8"), None),
            ("1.5e+05", text("1.5e+05"), None),
            ("12,3,4", None, None),
            ("1,2345,678", None, None),
            ("5%", None, None),
            ("M", None, None),
            ("-", None, None),
            ("", None, None),
        ] {
            assert_eq!(both(cell), (point, comma), "{cell}");
        }
        assert_eq!(read("82M", Mark::Point, false), None, "a price has no unit");
    }

    #[test]
    fn one_cell_settles_the_mark_of_all() {
        let settle = |cells: &[&str]| {
            let mut marks = Marks::default();
            cells.iter().for_each(|cell| marks.see(cell, false, 2));
            marks.settle()
        };
        assert_eq!(settle(&["1,234", "100,5", "7,5"]), Settled::By(Mark::Comma));
        assert_eq!(settle(&["100", "100,5"]), Settled::By(Mark::Point));
        assert_eq!(settle(&["1,234", "100.5"]), Settled::By(Mark::Point));
        assert_eq!(settle(&["1.234"]), Settled::By(Mark::Point));
        assert_eq!(settle(&["1,234", "7"]), Settled::Either(2, "1,234".to_owned()));
        assert_eq!(settle(&["1,5", "2,5", "1.5"]), Settled::By(Mark::Point));
    }
}
