//! Finds the instrument that a file itself names, for files whose key is not known yet.

use std::collections::BTreeSet;

use candlewick_shared::core::form::Form;
use candlewick_shared::core::raw_csv::cells::{Cells, line};
use candlewick_shared::core::symbol::Symbol;

use crate::instruments::is_code;

use super::encoding;
use super::layout::{DELIMITERS, first_lines, given_delimiter, split};
use super::names::{self, Role};

/// The columns of a file that name instruments.
struct Found {
    /// The fields, each with its name.
    columns: Vec<(usize, String)>,
    delimiter: u8,
    /// The offset of the first row.
    body: usize,
}

/// The instrument in a column of the file or above its header, if that is one code such as `AAPL`, and not several or the
/// name of a company. The text is unpacked.
pub fn named_instrument(bytes: &[u8]) -> Option<Symbol> {
    let text = encoding::decode(bytes, |text| find(text).is_some()).text;
    if let Some(ticker) = ticker_above(&text) {
        return code("Ticker", &BTreeSet::from([ticker]));
    }
    let found = find(&text)?;
    let values = |field: usize| values(&text, &found, field);
    found.columns.iter().find_map(|(field, column)| code(column, &values(*field)))
}

/// The header of candles with a column for an instrument.
fn find(text: &[u8]) -> Option<Found> {
    let said = given_delimiter(text, &Form::default());
    first_lines(text).iter().find_map(|line| {
        let bare = line.text.strip_prefix(b"#").unwrap_or(line.text);
        let delimiters = DELIMITERS.iter().filter(|each| said.is_none_or(|said| said == **each));
        let columns = |delimiter: &u8| Some((*delimiter, columns(&split(bare, *delimiter)?)?));
        let (delimiter, columns) = delimiters.filter_map(columns).next()?;
        Some(Found { columns, delimiter, body: line.next })
    })
}

fn columns(given: &[String]) -> Option<Vec<(usize, String)>> {
    let plain: Vec<String> = given.iter().map(|name| names::plain(name)).collect();
    let is_of = |name: &String, role: Role| names::of(role).any(|accepted| accepted.contains(&name.as_str()));
    let has = |role: Role| plain.iter().any(|name| is_of(name, role));
    let named = (0..plain.len()).filter(|field| is_of(&plain[*field], Role::Symbol));
    let columns: Vec<_> = named.map(|field| (field, given[field].clone())).collect();
    (has(Role::Open) && has(Role::Close) && !columns.is_empty()).then_some(columns)
}

/// The ticker in the second line of a header that pandas writes, if all columns have the same one.
fn ticker_above(text: &[u8]) -> Option<String> {
    let cells = first_lines(text).iter().take(2).find_map(|line| {
        let cells = split(line.text, b',')?;
        cells.first().is_some_and(|name| name.eq_ignore_ascii_case("ticker")).then_some(cells)
    })?;
    let tickers: BTreeSet<&String> = cells.iter().skip(1).filter(|ticker| !ticker.is_empty()).collect();
    let ticker = tickers.first().filter(|_| tickers.len() == 1 && cells.len() > 4)?;
    Some((*ticker).clone())
}

/// The distinct values of a column; no more than are needed to know that there are several.
fn values(text: &[u8], found: &Found, field: usize) -> BTreeSet<String> {
    let mut cells = Cells::new(found.delimiter);
    let mut values = BTreeSet::new();
    let mut at = found.body;
    while at < text.len() && values.len() < 2 {
        let (length, line_break) = line(text, at);
        if cells.split(&text[at..at + length]).is_ok() && !cells.get(field).is_empty() {
            values.insert(String::from_utf8_lossy(cells.get(field)).into_owned());
        }
        at += length + line_break;
    }
    values
}

/// The only value of a column as a symbol. A number of few digits could be anything.
fn code(column: &str, values: &BTreeSet<String>) -> Option<Symbol> {
    let value = values.first().filter(|_| values.len() == 1)?;
    let is_word = value.chars().any(char::is_alphabetic) || value.len() >= 4;
    if is_word && is_code(column, value) { value.to_uppercase().parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plain_code_is_the_instrument_of_a_file() {
        for (text, expected) in [
            ("symbol,date,open,high,low,close\nABC,2024-01-02,1,2,1,2\nABC,2024-01-03,1,2,1,2\n", Some("ABC")),
            ("a banner\nDate;Open;High;Low;Close;Ticker\n2024-01-02;1;2;1;2;brk.b\n", Some("BRK.B")),
            ("Price,Close,High,Low,Open\nTicker,ABC,ABC,ABC,ABC\nDate,,,,\n2024-01-02,1,2,1,2\n", Some("ABC")),
            ("Price,Close,Close,Open,Open\nTicker,ABC,DEF,ABC,DEF\nDate,,,,\n", None),
            ("symbol,date,open,high,low,close\nABC,2024-01-02,1,2,1,2\nDEF,2024-01-02,1,2,1,2\n", None),
            ("name,date,open,high,low,close\nApple,2024-01-02,1,2,1,2\n", None),
            ("code,date,open,high,low,close\n7,2024-01-02,1,2,1,2\n", None),
            ("name,code,date,open,high,low,close\nApple,600519,2024-01-02,1,2,1,2\n", Some("600519")),
            ("symbol,qty\nABC,7\n", None),
            ("date,open,high,low,close\n2024-01-02,1,2,1,2\n", None),
            ("", None),
        ] {
            assert_eq!(
                named_instrument(text.as_bytes()).map(|symbol| symbol.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
