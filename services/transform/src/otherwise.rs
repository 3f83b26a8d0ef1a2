//! Refuses files with rows that show that other rows are misread: a second header, or numbers with decimal commas.

use candlewick_shared::core::raw_csv::cells::{self, Cells};
use candlewick_shared::core::raw_csv::{Header, shown};
use candlewick_shared::core::symbol::Symbol;

use crate::fault::{Fault, QuarantinedRow, Reason};
use crate::quarantine::line_of;
use crate::refusal::Refusal;

/// The names of the columns with numbers.
const NUMBERS: [&str; 5] = ["open", "high", "low", "close", "volume"];

/// Refuses the file if one of the quarantined rows requires it.
pub fn check(text: &[u8], quarantined: &[QuarantinedRow], header: &Header, symbol: &Symbol) -> Result<(), Refusal> {
    quarantined.iter().find_map(|quarantined| refusal(text, quarantined, header, symbol)).map_or(Ok(()), Err)
}

fn refusal(text: &[u8], quarantined: &QuarantinedRow, header: &Header, symbol: &Symbol) -> Option<Refusal> {
    let (length, _) = cells::line(text, quarantined.start);
    let row = &text[quarantined.start..quarantined.start + length];
    let line = || line_of(text, quarantined.start);
    if is_other_header(row, header, symbol) {
        return Some(Refusal::OtherHeader { line: line(), found: shown(row) });
    }
    let cell = decimal_comma(row, quarantined.fault, header)?;
    Some(Refusal::DecimalComma { line: line(), column: quarantined.fault.column, cell })
}

/// Concatenated files have one header each. A repetition of the first header is only quarantined; a different header
/// changes the meaning of the rows below it.
fn is_other_header(row: &[u8], header: &Header, symbol: &Symbol) -> bool {
    let has_word = |word: &[u8]| row.windows(word.len()).any(|bytes| bytes.eq_ignore_ascii_case(word));
    if !has_word(b"open") || !has_word(b"close") {
        return false;
    }
    let Ok(other) = Header::read(row, Some(symbol)) else { return false };
    let names = |header: &Header| header.names.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>();
    let places = |header: &Header| (header.time, header.prices, header.volume);
    names(&other) != names(header) && places(&other) != places(header)
}

/// The cell of a quarantined row that has points between thousands and a decimal comma, if it was quarantined for
/// that cell: `1.234,5`.
fn decimal_comma(row: &[u8], fault: Fault, header: &Header) -> Option<String> {
    let place = NUMBERS.iter().position(|name| *name == fault.column).filter(|_| fault.reason == Reason::Unreadable)?;
    let field = header.prices.get(place).copied().or(header.volume)?;
    let mut cells = Cells::new(header.delimiter);
    cells.split(row).ok()?;
    let cell = std::str::from_utf8(cells.get(field)).ok()?;
    let (whole, fraction) = cell.split_once(',')?;
    let (first, groups) = whole.split_once('.')?;
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let are_thousands = groups.split('.').all(|group| group.len() == 3 && are_digits(group));
    (first.len() <= 3 && are_digits(first) && are_thousands && are_digits(fraction)).then(|| cell.to_owned())
}
