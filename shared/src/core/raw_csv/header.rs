//! Finds the role of each column by the names in a header.

use super::cells::Cells;
use super::unreadable::{Unreadable, shown};
use crate::core::symbol::Symbol;

/// The positions of the columns of a raw CSV file, from its header. A field is counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The field of the candle's time.
    pub time: usize,
    /// The fields of open, high, low and close.
    pub prices: [usize; 4],
    /// The field of the volume, if the header has one.
    pub volume: Option<usize>,
    /// The field of the number of price changes, which replaces a volume that is 0 in every row.
    pub tick_volume: Option<usize>,
    /// The field that says whether the volume is known, as in clean CSV.
    pub has_volume: Option<usize>,
    /// The field that says whether an earlier cleaning filled the candle, as in clean CSV.
    pub is_filled: Option<usize>,
    /// The fields with the name of an instrument.
    pub symbols: Vec<usize>,
    /// The fields with the currency of the prices.
    pub currencies: Vec<usize>,
    /// The field with the interval of the candles.
    pub interval: Option<usize>,
    /// The names of all fields, as written in the file.
    pub names: Vec<String>,
    /// The names of the columns that are not read, as written in the file.
    pub ignored: Vec<String>,
    /// The byte between two fields: `,` or `;`.
    pub delimiter: u8,
}

const TIMES: &[&str] = &["datetime", "date", "time", "timestamp", "date time"];
/// The names of columns with the name of an instrument, in lower case.
pub const SYMBOLS: &[&str] = &[
    "symbol",
    "ticker",
    "name",
    "instrument",
    "security",
    "asset",
    "stock",
    "pair",
    "sym",
    "tic",
    "code",
    "contract",
    "coin",
    "ticker symbol",
    "stock symbol",
    "symbol name",
    "instrument name",
    "stock name",
    "company",
    "company name",
    "isin",
    "cusip",
    "sedol",
    "figi",
    "wkn",
    "conid",
    "permno",
];
/// The names of columns with the currency of the prices, in lower case.
pub const CURRENCIES: &[&str] = &["currency", "ccy", "currency code", "price currency", "quote currency"];
const INTERVALS: &[&str] = &["interval", "timeframe", "time frame"];

/// The column of the time at which ingest received a row that a later response lacks.
const FETCHED_AT: &str = "fetched at";

/// The names of volume columns, in order of preference.
const VOLUMES: &[&[&str]] = &[
    &["volume"],
    &["vol", "volumes"],
    &["volumefrom", "volume from", "base volume", "base asset volume"],
    &["volume shares", "shares volume", "share volume"],
];
const TICK_VOLUMES: &[&str] = &["tickvol", "tick vol", "tick volume", "tickvolume"];

/// The columns of a header, by name.
struct Names<'a> {
    /// As written in the file.
    given: Vec<String>,
    /// In lower case, with one space in place of all characters that are neither letters nor digits.
    plain: Vec<String>,
    line: &'a [u8],
}

impl Header {
    /// Parses a header line. `symbol` is the instrument of the file: of `Volume BTC` and `Volume USD`, the first is
    /// the volume of `BTC/USD`.
    ///
    /// # Errors
    ///
    /// Fails with [`Unreadable`] if a column is missing or ambiguous.
    pub fn read(line: &[u8], symbol: Option<&Symbol>) -> Result<Self, Unreadable> {
        let delimiter = delimiter_of(line);
        let mut cells = Cells::new(delimiter);
        let broken = |reason: String| Unreadable::BrokenHeader { reason, found: shown(line) };
        cells.split(line).map_err(|error| broken(error.to_string()))?;
        Names::new(&cells, line).header(symbol, delimiter)
    }
}

/// `;` if the header has more of them than commas, as in the CSV of the API.
fn delimiter_of(line: &[u8]) -> u8 {
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    if count(b';') > count(b',') { b';' } else { b',' }
}

impl<'a> Names<'a> {
    fn new(cells: &Cells, line: &'a [u8]) -> Self {
        let given = cells.texts();
        let plain = given.iter().map(|name| plain(name)).collect();
        Self { given, plain, line }
    }

    fn header(&self, symbol: Option<&Symbol>, delimiter: u8) -> Result<Header, Unreadable> {
        let prices = ["open", "high", "low", "close"];
        if !self.plain.iter().any(|name| is_one_of(name, TIMES) || is_one_of(name, &prices)) {
            return Err(Unreadable::NoHeader { found: shown(self.line) });
        }
        let time = self.one("datetime", TIMES)?;
        let [open, high, low, close] = prices.map(|name| self.one(name, &[name]));
        let (volume, tick_volume) = self.volumes(symbol)?;
        let mut header = Header {
            time,
            prices: [open?, high?, low?, close?],
            volume,
            tick_volume,
            has_volume: self.at_most_one("has_volume", &["has volume"])?,
            is_filled: self.at_most_one("is_filled", &["is filled"])?,
            symbols: self.places(SYMBOLS),
            currencies: self.places(CURRENCIES),
            interval: self.at_most_one("interval", INTERVALS)?,
            names: self.given.clone(),
            ignored: Vec::new(),
            delimiter,
        };
        header.ignored = self.ignored(&header);
        Ok(header)
    }

    /// The volume and the tick volume. If there is no volume, the tick volume is used as the volume.
    fn volumes(&self, symbol: Option<&Symbol>) -> Result<(Option<usize>, Option<usize>), Unreadable> {
        let tick = self.at_most_one("tick volume", TICK_VOLUMES)?;
        let mut volume = None;
        for names in VOLUMES {
            volume = volume.or(self.at_most_one("volume", names)?);
        }
        let volume = volume.or_else(|| self.volume_of(symbol?)).or(tick);
        let unclear = || self.plain.iter().position(|name| is_volume(name));
        match (volume, unclear()) {
            (None, Some(place)) => Err(Unreadable::UnclearVolume(self.given[place].clone())),
            _ => Ok((volume, tick.filter(|tick| Some(*tick) != volume))),
        }
    }

    /// Finds the column `volume btc` of `BTC/USD`.
    fn volume_of(&self, symbol: &Symbol) -> Option<usize> {
        let plain_symbol = plain(symbol.as_str());
        let base = plain_symbol.split(' ').next()?;
        let is_of_base = |name: &String| {
            let unit = name.strip_prefix("volume ").or_else(|| name.strip_prefix("vol "));
            unit.is_some_and(|unit| unit == base)
        };
        self.plain.iter().position(is_of_base)
    }

    fn places(&self, accepted: &[&str]) -> Vec<usize> {
        let named = self.plain.iter().enumerate().filter(|(_, name)| is_one_of(name, accepted));
        named.map(|(place, _)| place).collect()
    }

    fn at_most_one(&self, column: &'static str, accepted: &[&str]) -> Result<Option<usize>, Unreadable> {
        let places = self.places(accepted);
        match places.as_slice() {
            [] => Ok(None),
            [place] => Ok(Some(*place)),
            _ => {
                let names: Vec<_> = places.iter().map(|at| format!("{} {:?}", at + 1, self.given[*at])).collect();
                Err(Unreadable::AmbiguousColumn { column, names: names.join(" and ") })
            }
        }
    }

    fn one(&self, column: &'static str, accepted: &[&str]) -> Result<usize, Unreadable> {
        let place = self.at_most_one(column, accepted)?;
        place.ok_or_else(|| Unreadable::MissingColumn { missing: column, found: shown(self.line) })
    }

    fn ignored(&self, header: &Header) -> Vec<String> {
        let is_ignored = |place: &usize| {
            let name = &self.plain[*place];
            !header.reads(*place) && !self.given[*place].is_empty() && name != FETCHED_AT
        };
        (0..self.given.len()).filter(is_ignored).map(|place| self.given[place].clone()).collect()
    }
}

impl Header {
    /// Whether this field is read.
    #[must_use]
    pub fn reads(&self, field: usize) -> bool {
        let optional = [self.volume, self.tick_volume, self.has_volume, self.is_filled, self.interval];
        self.time == field
            || self.prices.contains(&field)
            || self.symbols.contains(&field)
            || self.currencies.contains(&field)
            || optional.contains(&Some(field))
    }

    /// Keeps one volume column: the tick volume if the volume is 0 in every row, otherwise the volume. The other one
    /// is ignored.
    #[must_use]
    pub fn with_one_volume(mut self, is_all_zero: bool) -> Self {
        let (Some(volume), Some(tick)) = (self.volume, self.tick_volume.take()) else { return self };
        let (read, ignored) = if is_all_zero { (tick, volume) } else { (volume, tick) };
        self.volume = Some(read);
        self.ignored.push(self.names[ignored].clone());
        self
    }

    /// The number of fields up to and including the last one that is read; a row with fewer cells is incomplete.
    #[must_use]
    pub fn fields_read(&self) -> usize {
        (0..self.names.len()).rev().find(|field| self.reads(*field)).map_or(0, |last| last + 1)
    }
}

fn is_one_of(name: &str, accepted: &[&str]) -> bool {
    accepted.contains(&name)
}

/// Whether a column name in lower case, with words separated by spaces, contains the word volume or an abbreviation of it.
#[must_use]
pub fn is_volume(name: &str) -> bool {
    name.split(' ').any(|word| matches!(word, "volume" | "vol" | "volumes" | "volumeto"))
}

fn plain(name: &str) -> String {
    let spaced: String = name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let plain = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_in_money(name) && is_volume(&plain) { plain + " in money" } else { plain }
}

/// Whether a column name has the sign of a currency, as in `Volume ($)`. Such a volume is a turnover.
#[must_use]
pub fn is_in_money(name: &str) -> bool {
    name.contains(['$', '€', '£', '¥', '₩', '₹', '₽', '₺', '₿'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(line: &str) -> Result<Header, Unreadable> {
        Header::read(line.as_bytes(), Some(&"BTC/USD".parse().unwrap()))
    }

    #[test]
    fn names_are_found_in_any_case_order_and_company() {
        let header = header("Close,Adj_Close,Date,OPEN, high ,<low>,Volume").unwrap();
        assert_eq!((header.time, header.prices, header.volume), (2, [3, 4, 5, 0], Some(6)));
        assert_eq!(header.ignored, ["Adj_Close"], "as it is in the file");
    }

    #[test]
    fn the_semicolon_of_the_api_is_recognised() {
        let header = header("datetime;open;high;low;close").unwrap();
        assert_eq!((header.delimiter, header.volume, header.names.len()), (b';', None, 5));
    }

    #[test]
    fn a_volume_is_known_by_its_usual_names() {
        for (names, place) in [
            ("Vol", 5),
            ("vol.", 5),
            ("Volume BTC,Volume USD", 5),
            ("Volume USD,Volume_(BTC)", 6),
            ("volumefrom,volumeto", 5),
            ("tickvol", 5),
            ("Volume MA,Volume", 6),
            ("Volume ($),Volume (Shares)", 6),
            ("Vol. (€),Vol.", 6),
        ] {
            let header = header(&format!("date,open,high,low,close,{names}")).unwrap();
            assert_eq!((header.volume, header.tick_volume), (Some(place), None), "{names}");
        }
        let header = header("date,open,high,low,close,tickvol,vol").unwrap();
        assert_eq!((header.volume, header.tick_volume), (Some(6), Some(5)));
    }

    #[test]
    fn a_column_that_could_be_the_volume_is_asked_for() {
        for name in ["Volume USD", "quote asset volume", "Avg. Vol", "Volume ($)", "£ Volume"] {
            let error = header(&format!("date,open,high,low,close,{name}")).unwrap_err().to_string();
            assert!(error.contains(&format!("column {name:?} could be the volume")), "{error}");
        }
        assert_eq!(header("date,open,high,low,close,volatility").unwrap().ignored, ["volatility"]);
    }

    #[test]
    fn two_columns_for_one_role_are_both_named() {
        for (line, names) in [
            ("Date,datetime,open,high,low,close", "1 \"Date\" and 2 \"datetime\""),
            ("date,open,high,low,close,Close", "5 \"close\" and 6 \"Close\""),
            ("date,open,high,low,close,vol,Vol.", "6 \"vol\" and 7 \"Vol.\""),
        ] {
            let error = header(line).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn what_clean_csv_has_is_read_back() {
        let header = header("symbol,interval,time,open,high,low,close,volume,has_volume,is_filled").unwrap();
        assert_eq!((header.symbols.as_slice(), header.interval), (&[0][..], Some(1)));
        assert_eq!((header.has_volume, header.is_filled, header.ignored.len()), (Some(8), Some(9), 0));
    }

    #[test]
    fn what_is_missing_is_told_with_the_header_as_it_is() {
        for (line, words) in [
            ("Datetime,Open,High,Low", "column \"close\" is missing from the header \"Datetime,Open,High,Low\""),
            ("open,high,low,close", "column \"datetime\" is missing"),
            ("2024-01-02,1,2,1,2,5", "line 1 is not a header: \"2024-01-02,1"),
            ("date,\"open,high", "line 1: a quote is opened and not closed"),
        ] {
            let error = header(line).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
