//! Variables: the candles of a series, or one column of them.

use std::fmt;
use std::str::FromStr;

use candlewick_shared::core::key::Series;
use serde::Deserialize;
use thiserror::Error;

use crate::indicators::Indicator;
use crate::query::fields::Field;

/// The candles of a series, or one field or indicator of them: `AAPL 1day`, `AAPL 1day close`, `BTC/USD 1h sma20`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Variable {
    pub series: Series,
    /// `None` for whole candles.
    pub column: Option<Column>,
}

/// A field or an indicator of candles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column {
    Field(Field),
    Indicator(Indicator),
}

/// The fields that are numbers.
pub const NUMBERS: [Field; 5] = [Field::Open, Field::High, Field::Low, Field::Close, Field::Volume];

/// The text is not a valid variable.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{text:?} is no variable: {reason}")]
pub struct NoVariable {
    text: String,
    reason: String,
}

impl FromStr for Variable {
    type Err = NoVariable;

    fn from_str(text: &str) -> Result<Self, NoVariable> {
        parse(text).map_err(|reason| NoVariable { text: text.to_owned(), reason })
    }
}

fn parse(text: &str) -> Result<Variable, String> {
    let (symbol, interval, column) = match text.split_whitespace().collect::<Vec<_>>()[..] {
        [symbol, interval] => (symbol, interval, None),
        [symbol, interval, column] => (symbol, interval, Some(column)),
        _ => return Err("write a symbol, an interval and a field or an indicator, such as AAPL 1day close".to_owned()),
    };
    let symbol = symbol.parse().map_err(|error| format!("{error}"))?;
    let interval = interval.parse().map_err(|error| format!("{error}"))?;
    Ok(Variable { series: Series { symbol, interval }, column: column.map(str::parse).transpose()? })
}

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(field) = NUMBERS.into_iter().find(|field| field.name() == text) {
            return Ok(Self::Field(field));
        }
        let no_column = |error| format!("{} is no field (open, high, low, close, volume), and {error}", text);
        text.parse().map(Self::Indicator).map_err(|error: crate::indicators::NoIndicator| no_column(error))
    }
}

impl TryFrom<String> for Variable {
    type Error = NoVariable;

    fn try_from(text: String) -> Result<Self, NoVariable> {
        text.parse()
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.series.symbol, self.series.interval)?;
        match self.column {
            None => Ok(()),
            Some(Column::Field(field)) => write!(formatter, " {}", field.name()),
            Some(Column::Indicator(indicator)) => write!(formatter, " {indicator}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_written_as_it_is_read() {
        for text in ["AAPL 1day", "AAPL 1day close", "BTC/USD 1h volume", "BRK.B 1week bb20x2", "A 1min vwap"] {
            assert_eq!(text.parse::<Variable>().unwrap().to_string(), text);
        }
        assert_eq!("  A   1day  sma20 ".parse::<Variable>().unwrap().to_string(), "A 1day sma20");
    }

    #[test]
    fn what_is_no_variable_is_named() {
        for (text, word) in [
            ("", "such as AAPL 1day close"),
            ("AAPL", "such as AAPL 1day close"),
            ("AAPL 1day close high", "such as AAPL 1day close"),
            ("AAPL 1d close", "1d"),
            ("AAPL 1day time", "time is no field"),
            ("AAPL 1day sma0", "sma0"),
            ("A\u{7f}B 1day", "no variable"),
        ] {
            let error = text.parse::<Variable>().unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
