//! Checks the instrument, the currency and the interval that the rows name against the object's key.

use std::collections::BTreeSet;

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::raw_csv::cells::Cells;
use candlewick_shared::core::raw_csv::{Header, shown};

use crate::refusal::Refusal;

/// How many values of a column are kept, which is more than an error shows.
const MOST: usize = 6;

/// The instruments, the currencies and the interval that the rows of an object name.
#[derive(Clone, Debug, Default)]
pub struct Instruments {
    symbols: Vec<Named>,
    currencies: Vec<Named>,
    interval: Option<Named>,
}

/// A column with names, and its values.
#[derive(Clone, Debug)]
struct Named {
    field: usize,
    column: String,
    last: Vec<u8>,
    values: BTreeSet<String>,
}

impl Named {
    fn new(header: &Header, field: usize) -> Self {
        Self { field, column: header.names[field].clone(), last: Vec::new(), values: BTreeSet::new() }
    }

    fn see(&mut self, cells: &Cells) {
        let cell = cells.get(self.field);
        if cell != self.last && !cell.is_empty() && self.values.len() < MOST {
            self.last = cell.to_vec();
            self.values.insert(shown(cell));
        }
    }
}

impl Instruments {
    pub fn of(header: &Header) -> Self {
        let named = |field: usize| Named::new(header, field);
        Self {
            symbols: header.symbols.iter().copied().map(named).collect(),
            currencies: header.currencies.iter().copied().map(named).collect(),
            interval: header.interval.map(named),
        }
    }

    /// Records what a row names.
    pub fn see(&mut self, cells: &Cells) {
        let all = self.symbols.iter_mut().chain(&mut self.currencies).chain(&mut self.interval);
        all.for_each(|named| named.see(cells));
    }

    /// Checks what the rows name against the key.
    pub fn check(&self, series: &Series) -> Result<(), Refusal> {
        for named in &self.symbols {
            let mut values: Vec<&String> = named.values.iter().collect();
            values.dedup_by(|one, other| is_same(one, other));
            match values.as_slice() {
                [] => {}
                [value] if is_code(&named.column, value) && is_another(value, series.symbol.as_str()) => {
                    return Err(other_symbol(named, value, series));
                }
                [_] => {}
                several => return Err(several_symbols(named, several)),
            }
        }
        self.currencies.iter().try_for_each(require_one_currency)?;
        self.interval.as_ref().map_or(Ok(()), |named| check_interval(named, series))
    }
}

/// Refuses several currencies. Upper and lower case differ: `GBp` is a hundredth of `GBP`.
fn require_one_currency(named: &Named) -> Result<(), Refusal> {
    let mut values = named.values.iter().map(|value| format!("column {:?}: {value:?}", named.column));
    match (values.next(), values.next()) {
        (Some(one), Some(other)) => Err(Refusal::SeveralCurrencies([one, other])),
        _ => Ok(()),
    }
}

/// Whether a value of a column is a code such as a ticker, and not the name of a company.
///
/// The number of a registry is not comparable with a symbol.
pub fn is_code(column: &str, value: &str) -> bool {
    const REGISTRIES: [&str; 7] = ["isin", "cusip", "sedol", "figi", "wkn", "conid", "permno"];
    let column = column.to_lowercase();
    if REGISTRIES.contains(&column.trim()) {
        return false;
    }
    let is_of_names =
        ["name", "company", "coin", "stock", "asset", "security"].iter().any(|word| column.contains(word));
    let is_upper = || !value.chars().any(char::is_lowercase) && value.chars().any(char::is_alphabetic);
    value.chars().count() <= 20 && !value.contains(char::is_whitespace) && (!is_of_names || is_upper())
}

/// Words next to the names of columns that are not instruments.
const NO_INSTRUMENTS: [&str; 53] = [
    "ADJ",
    "ADJUSTED",
    "ASK",
    "BID",
    "INDEX",
    "LAST",
    "LEVEL",
    "MID",
    "POINTS",
    "PRICE",
    "PRICES",
    "RATE",
    "RAW",
    "TIME",
    "TRADE",
    "TRADES",
    "UNADJUSTED",
    "VALUE",
    "AUD",
    "BRL",
    "BTC",
    "CAD",
    "CHF",
    "CNY",
    "CZK",
    "DKK",
    "ETH",
    "EUR",
    "GBP",
    "GBX",
    "HKD",
    "HUF",
    "IDR",
    "ILS",
    "INR",
    "JPY",
    "KRW",
    "MXN",
    "NOK",
    "NZD",
    "PLN",
    "PX",
    "RUB",
    "SEK",
    "SGD",
    "THB",
    "TRY",
    "TWD",
    "USD",
    "USDC",
    "USDT",
    "VND",
    "ZAR",
];

/// Checks an instrument in a header against the key. A word such as `bid` is not an instrument.
pub fn check_name(column: &str, name: &str, series: &Series) -> Result<(), Refusal> {
    let is_code = name.chars().count() <= 12 && !name.contains(char::is_whitespace);
    let is_word = NO_INSTRUMENTS.contains(&name.to_uppercase().as_str());
    if !is_code || is_word || !is_another(name, series.symbol.as_str()) {
        return Ok(());
    }
    Err(Refusal::OtherInstrument {
        column: column.to_owned(),
        value: name.to_owned(),
        symbol: series.symbol.to_string(),
    })
}

fn check_interval(named: &Named, series: &Series) -> Result<(), Refusal> {
    // The period of an indicator is a number as well.
    let minutes = |value: &str| if named.column.to_lowercase().contains("period") { None } else { minutes(value) };
    let is_other =
        |value: &&String| interval(value).or_else(|| minutes(value)).is_some_and(|read| read != series.interval);
    let other = named.values.iter().find(is_other);
    other.map_or(Ok(()), |value| {
        Err(Refusal::OtherInterval { column: named.column.clone(), value: value.clone(), interval: series.interval })
    })
}

fn other_symbol(named: &Named, value: &str, series: &Series) -> Refusal {
    Refusal::OtherInstrument {
        column: named.column.clone(),
        value: value.to_owned(),
        symbol: series.symbol.to_string(),
    }
}

fn several_symbols(named: &Named, values: &[&String]) -> Refusal {
    let mut shown: Vec<&str> = values.iter().take(MOST - 1).map(|value| value.as_str()).collect();
    if values.len() >= MOST {
        shown.push("…");
    }
    Refusal::SeveralInstruments { column: named.column.clone(), values: shown.join(", ") }
}

/// Letters and digits in upper case, so that `BTC/USD`, `BTC-USD`, `btcusd` and Yahoo's `BTCUSD=X` are the same
/// instrument.
fn letters(symbol: &str) -> String {
    let symbol = symbol.strip_suffix("=X").unwrap_or(symbol);
    symbol.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn is_same(one: &str, other: &str) -> bool {
    letters(one) == letters(other)
}

/// Whether a code is clearly another instrument than a symbol. The symbol with an exchange (`AAPL.US`, `NASDAQ:AAPL`)
/// or without its currency (`BTC` for `BTC/USD`) is not; a part of one letter is a share class and does count.
fn is_another(value: &str, symbol: &str) -> bool {
    !is_same(value, symbol) && !has_part(value, symbol) && !has_part(symbol, value)
}

/// Whether the longer name is the shorter one plus a part of at least two characters.
fn has_part(longer: &str, shorter: &str) -> bool {
    let parts: Vec<String> =
        longer.split(|c: char| !c.is_alphanumeric()).map(letters).filter(|part| !part.is_empty()).collect();
    let shorter = letters(shorter);
    let others = |except: usize| parts.iter().enumerate().filter(move |(at, _)| *at != except);
    (0..parts.len()).any(|except| {
        let rest: String = others(except).map(|(_, part)| part.as_str()).collect();
        parts.len() > 1 && parts[except].chars().count() >= 2 && rest == shorter
    })
}

/// The interval of a number of minutes.
fn minutes(text: &str) -> Option<Interval> {
    let seconds = text.parse::<i64>().ok()?.checked_mul(60)?;
    let is_of =
        |interval: &Interval| interval.seconds() == Some(seconds) || (*interval == Interval::Day1 && seconds == 86_400);
    Interval::ALL.into_iter().find(is_of)
}

/// Parses an interval in its usual spellings.
fn interval(text: &str) -> Option<Interval> {
    let lower = text.to_ascii_lowercase();
    let own = match (text, lower.as_str()) {
        ("M" | "1M", _) | (_, "monthly" | "month" | "1mo" | "mn1") => "1month",
        (_, "1m" | "m1" | "1minute") => "1min",
        (_, "5m" | "m5" | "5minute") => "5min",
        (_, "15m" | "m15") => "15min",
        (_, "30m" | "m30") => "30min",
        (_, "h1" | "60m" | "60min" | "hourly" | "1hour") => "1h",
        (_, "h4") => "4h",
        (_, "d" | "1d" | "d1" | "day" | "daily") => "1day",
        (_, "w" | "1w" | "1wk" | "w1" | "week" | "weekly") => "1week",
        (_, other) => other,
    };
    own.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instrument_has_many_spellings() {
        for (value, symbol) in [
            ("BTCUSD", "BTC/USD"),
            ("BTC-USD", "BTC/USD"),
            ("BRK-B", "BRK.B"),
            ("AAPL.US", "AAPL"),
            ("NASDAQ:AAPL", "AAPL"),
            ("aapl", "AAPL"),
            ("BTC", "BTC/USD"),
            ("EURUSD=X", "EUR/USD"),
            ("SBIN", "SBIN:NSE"),
        ] {
            assert!(!is_another(value, symbol), "{value} {symbol}");
        }
    }

    #[test]
    fn another_instrument_is_plainly_one() {
        for (value, symbol) in [
            ("MSFT", "ABC"),
            ("BRK.A", "BRK.B"),
            ("BRK.A", "BRK"),
            ("BTCUSDT", "BTC/USD"),
            ("ETH/USD", "BTC/USD"),
            ("600000", "600001"),
        ] {
            assert!(is_another(value, symbol), "{value} {symbol}");
        }
    }

    #[test]
    fn a_companys_name_is_no_code() {
        assert!(is_code("Ticker", "msft") && is_code("Name", "AAA"));
        assert!(!is_code("Name", "Apple") && !is_code("Symbol", "Apple Inc."));
    }

    #[test]
    fn intervals_are_known_by_their_usual_names() {
        for (text, expected) in
            [("1day", Some("1day")), ("D", Some("1day")), ("1M", Some("1month")), ("1m", Some("1min")), ("14", None)]
        {
            assert_eq!(interval(text), expected.map(|text| text.parse().unwrap()), "{text}");
        }
    }
}
