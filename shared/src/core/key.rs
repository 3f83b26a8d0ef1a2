//! The layout of the bucket. All object keys are parsed and formatted here.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::core::interval::{Interval, UnknownInterval};
use crate::core::symbol::{Symbol, SymbolError};

/// One symbol at one interval, such as `AAPL 1day`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Series {
    /// The symbol of the instrument.
    pub symbol: Symbol,
    /// The interval of the candles.
    pub interval: Interval,
}

impl fmt::Display for Series {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.symbol, self.interval)
    }
}

/// The part of a series that one object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The whole series (`candles.csv`), for daily and longer intervals.
    Whole,
    /// One month of the series (`2024-01.csv`), for intraday intervals.
    Month(Month),
}

/// A calendar month, written `2024-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    /// The year, 0 to 9999.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: i8,
}

impl Month {
    /// Returns the month of a date.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self { year: date.year(), month: date.month() }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

/// The series and part that an object of the bucket holds, independent of its prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectPath {
    /// The series of the object's rows.
    pub series: Series,
    /// The part of the series that the object holds.
    pub part: Part,
}

/// The key of an object under `raw/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RawKey {
    /// The series and part that the object holds.
    pub path: ObjectPath,
    /// Whether the object is gzipped (`.csv.gz`).
    pub gzip: bool,
}

/// The key of an object under `transformed/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransformedKey {
    /// The series and part that the object holds.
    pub path: ObjectPath,
}

/// The key of an object under `columnar/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnarKey {
    /// The series and part that the object holds.
    pub path: ObjectPath,
}

/// Why a key does not follow the layout of the bucket.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// The folders or the file name do not follow the layout.
    #[error("key {key:?} is not of the form {PATTERN}")]
    Layout {
        /// The unchanged key.
        key: String,
    },
    /// The interval is unknown.
    #[error("key {key:?}: {source}")]
    Interval {
        /// The unchanged key.
        key: String,
        /// What is wrong with the interval.
        source: UnknownInterval,
    },
    /// The symbol is invalid.
    #[error("key {key:?}: {source}")]
    Symbol {
        /// The unchanged key.
        key: String,
        /// What is wrong with the symbol.
        source: SymbolError,
    },
    /// The key names a month of a daily or longer series, or the whole of an intraday series.
    #[error("key {key:?}: {interval} candles are stored in {expected}")]
    Part {
        /// The unchanged key.
        key: String,
        /// The interval in the key.
        interval: Interval,
        /// The files in which such a series is stored.
        expected: &'static str,
    },
}

const PATTERN: &str =
    "PREFIX/interval=1day/symbol=AAPL/candles.csv (intraday: one file per month, such as 2024-01.csv)";

impl fmt::Display for ObjectPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Whole => write!(formatter, "{}", self.series),
            Part::Month(month) => write!(formatter, "{} {month}", self.series),
        }
    }
}

impl ObjectPath {
    /// Creates the path of the only object of a daily or longer series.
    #[must_use]
    pub fn whole(series: Series) -> Self {
        Self { series, part: Part::Whole }
    }

    /// Returns the key of the uncompressed raw CSV.
    #[must_use]
    pub fn raw_key(&self) -> String {
        self.under("raw", "csv")
    }

    /// Returns the key of the clean CSV.
    #[must_use]
    pub fn transformed_key(&self) -> String {
        self.under("transformed", "csv")
    }

    /// Returns the key of the JSON report on the cleaning.
    #[must_use]
    pub fn report_key(&self) -> String {
        self.under("reports", "json")
    }

    /// Returns the key of the CSV with the quarantined rows.
    #[must_use]
    pub fn quarantine_key(&self) -> String {
        self.under("quarantine", "csv")
    }

    /// Returns the key of the clean candles as Parquet.
    #[must_use]
    pub fn columnar_key(&self) -> String {
        self.under("columnar", "parquet")
    }

    fn under(&self, prefix: &str, extension: &str) -> String {
        let Series { symbol, interval } = &self.series;
        let file = match self.part {
            Part::Whole => "candles".to_owned(),
            Part::Month(month) => month.to_string(),
        };
        format!("{prefix}/interval={interval}/symbol={}/{file}.{extension}", symbol.to_key_form())
    }

    /// Parses `interval=…/symbol=…/FILE`, the part of a key between its prefix and its extension.
    fn parse(key: &str, path: &str) -> Result<Self, KeyError> {
        let layout = || KeyError::Layout { key: key.to_owned() };
        let mut segments = path.split('/');
        let interval = segments.next().and_then(|segment| segment.strip_prefix("interval=")).ok_or_else(layout)?;
        let symbol = segments.next().and_then(|segment| segment.strip_prefix("symbol=")).ok_or_else(layout)?;
        let (Some(file), None) = (segments.next(), segments.next()) else {
            return Err(layout());
        };
        let interval: Interval =
            interval.parse().map_err(|source| KeyError::Interval { key: key.to_owned(), source })?;
        let symbol =
            Symbol::from_key_form(symbol).map_err(|source| KeyError::Symbol { key: key.to_owned(), source })?;
        let part = Part::parse(file).ok_or_else(layout)?;
        Self::checked(key, Series { symbol, interval }, part)
    }

    fn checked(key: &str, series: Series, part: Part) -> Result<Self, KeyError> {
        let interval = series.interval;
        let expected = match (interval.is_intraday(), part) {
            (false, Part::Whole) | (true, Part::Month(_)) => return Ok(Self { series, part }),
            (false, Part::Month(_)) => "one file, candles.csv",
            (true, Part::Whole) => "one file per month, such as 2024-01.csv",
        };
        Err(KeyError::Part { key: key.to_owned(), interval, expected })
    }
}

impl Part {
    fn parse(file: &str) -> Option<Self> {
        if file == "candles" {
            return Some(Self::Whole);
        }
        let date: Date = format!("{file}-01").parse().ok()?;
        let month = Month::of(date);
        (month.to_string() == file).then_some(Self::Month(month))
    }
}

impl FromStr for RawKey {
    type Err = KeyError;

    fn from_str(key: &str) -> Result<Self, KeyError> {
        let layout = || KeyError::Layout { key: key.to_owned() };
        let path = key.strip_prefix("raw/").ok_or_else(layout)?;
        let (plain, gzip) = path.strip_suffix(".gz").map_or((path, false), |plain| (plain, true));
        let path = plain.strip_suffix(".csv").ok_or_else(layout)?;
        Ok(Self { path: ObjectPath::parse(key, path)?, gzip })
    }
}

impl FromStr for TransformedKey {
    type Err = KeyError;

    fn from_str(key: &str) -> Result<Self, KeyError> {
        let path = key.strip_prefix("transformed/").and_then(|path| path.strip_suffix(".csv"));
        let path = path.ok_or_else(|| KeyError::Layout { key: key.to_owned() })?;
        Ok(Self { path: ObjectPath::parse(key, path)? })
    }
}

impl FromStr for ColumnarKey {
    type Err = KeyError;

    fn from_str(key: &str) -> Result<Self, KeyError> {
        let path = key.strip_prefix("columnar/").and_then(|path| path.strip_suffix(".parquet"));
        let path = path.ok_or_else(|| KeyError::Layout { key: key.to_owned() })?;
        Ok(Self { path: ObjectPath::parse(key, path)? })
    }
}

impl RawKey {
    /// Returns the key of the other raw object that the same transformed object can be made from: the gzipped variant
    /// of a plain key, and the plain variant of a gzipped key.
    #[must_use]
    pub fn twin(&self) -> Self {
        Self { gzip: !self.gzip, ..self.clone() }
    }
}

impl fmt::Display for RawKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.path.raw_key(), if self.gzip { ".gz" } else { "" })
    }
}

impl fmt::Display for TransformedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path.transformed_key())
    }
}

impl fmt::Display for ColumnarKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path.columnar_key())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_names_the_same_object_under_every_prefix() {
        let key: RawKey = "raw/interval=1day/symbol=BTC%2FUSD/candles.csv".parse().unwrap();
        assert_eq!(key.path.series.symbol.as_str(), "BTC/USD");
        assert_eq!(key.path.transformed_key(), "transformed/interval=1day/symbol=BTC%2FUSD/candles.csv");
        assert_eq!(key.path.report_key(), "reports/interval=1day/symbol=BTC%2FUSD/candles.json");
        assert_eq!(key.path.quarantine_key(), "quarantine/interval=1day/symbol=BTC%2FUSD/candles.csv");
        assert_eq!(key.path.columnar_key(), "columnar/interval=1day/symbol=BTC%2FUSD/candles.parquet");
    }

    #[test]
    fn a_gzipped_raw_object_leads_to_the_same_clean_one() {
        let key: RawKey = "raw/interval=1min/symbol=AAPL/2024-01.csv.gz".parse().unwrap();
        assert!(key.gzip);
        assert_eq!(key.path.transformed_key(), "transformed/interval=1min/symbol=AAPL/2024-01.csv");
    }

    #[test]
    fn keys_outside_the_layout_are_refused_with_what_is_wrong() {
        for (key, part_of_error) in [
            ("raw/candles.csv", "is not of the form"),
            ("raw/interval=1day/candles.csv", "is not of the form"),
            ("raw/interval=1day/symbol=AAPL/candles.txt", "is not of the form"),
            ("raw/interval=1day/symbol=AAPL/more/candles.csv", "is not of the form"),
            ("raw/interval=1day/symbol=/candles.csv", "empty"),
            ("raw/interval=5h/symbol=AAPL/candles.csv", "unknown interval"),
            ("raw/interval=1day/symbol=AAPL/2024-01.csv", "one file, candles.csv"),
            ("raw/interval=1min/symbol=AAPL/candles.csv", "stored in one file per month"),
            ("raw/interval=1min/symbol=AAPL/2024-13.csv", "is not of the form"),
            ("raw/interval=1min/symbol=AAPL/2024-1.csv", "is not of the form"),
            ("transformed/interval=1day/symbol=AAPL/candles.csv", "is not of the form"),
        ] {
            let error = key.parse::<RawKey>().unwrap_err().to_string();
            assert!(error.contains(part_of_error) && error.contains(key), "{error}");
        }
    }

    fn any_path() -> impl Strategy<Value = ObjectPath> {
        let symbol = "[\\p{L}0-9!-+.-/:-~]{1,12}".prop_filter_map("not a symbol", |text| text.parse().ok());
        (symbol, 0..12_usize, 1900..2100_i16, 1..=12_i8).prop_map(|(symbol, interval, year, month)| {
            let series = Series { symbol, interval: Interval::ALL[interval] };
            let part = if series.interval.is_intraday() { Part::Month(Month { year, month }) } else { Part::Whole };
            ObjectPath { series, part }
        })
    }

    proptest! {
        #[test]
        fn every_key_written_is_read_back(path in any_path(), gzip: bool) {
            let raw = RawKey { path: path.clone(), gzip };
            prop_assert_eq!(raw.to_string().parse(), Ok(raw));
            let columnar = ColumnarKey { path: path.clone() };
            prop_assert_eq!(columnar.to_string().parse(), Ok(columnar));
            let transformed = TransformedKey { path };
            prop_assert_eq!(transformed.to_string().parse(), Ok(transformed));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = text.parse::<RawKey>();
            let _ = format!("raw/{text}").parse::<RawKey>();
        }
    }
}
