//! Parameters that select the candles of several series.

use std::collections::BTreeSet;

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::indicators::Indicators;
use crate::problem::Problem;
use crate::query::candles::{CsvQuery, Moment};
use crate::query::fields::{Field, Fields};
use crate::query::{IntervalName, SymbolNames};

/// The maximum number of series in a response.
const MOST_SERIES: usize = 100;

/// Selects candles of several series of one interval.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ManyQuery {
    /// The symbols, separated by commas: 1 to 100.
    #[param(value_type = SymbolNames, inline, example = "AAPL,BTC/USD")]
    pub symbols: String,
    /// The interval of the candles.
    #[param(value_type = IntervalName, inline)]
    pub interval: Interval,
    /// The start of the range: a date, or an instant in RFC 3339.
    #[param(value_type = Option<Moment>, inline, example = "2024-01-01")]
    pub from: Option<Moment>,
    /// The end of the range, inclusive; a date includes the whole day.
    #[param(value_type = Option<Moment>, inline, example = "2024-12-31")]
    pub to: Option<Moment>,
    /// The candles as they were at this moment, whatever was loaded since; a date means its end, in UTC.
    #[param(value_type = Option<Moment>, inline, example = "2024-12-31")]
    pub as_of: Option<Moment>,
    /// The fields of the candles, separated by commas [default: all].
    #[param(value_type = Option<Vec<Field>>, style = Form, explode = false, inline, example = json!(["time", "close"]))]
    #[serde(default)]
    pub fields: Fields,
    /// The indicators, separated by commas; their columns follow the fields.
    #[param(value_type = Option<Indicators>, inline, example = "sma20,rsi14")]
    #[serde(default)]
    pub indicators: Indicators,
}

impl ManyQuery {
    /// The series, in order and each once.
    pub fn series(&self) -> Result<Vec<Series>, Problem> {
        let symbols = self.symbols.split(',').map(|symbol| symbol.trim().parse::<Symbol>());
        let symbols = symbols.collect::<Result<BTreeSet<_>, _>>();
        let symbols = symbols.map_err(|error| Problem::bad_request(format!("symbols: {error}")))?;
        if symbols.len() > MOST_SERIES {
            return Err(Problem::bad_request(format!("symbols: at most {MOST_SERIES} in one request")));
        }
        Ok(symbols.into_iter().map(|symbol| Series { symbol, interval: self.interval }).collect())
    }

    /// What is asked of each series.
    pub fn of_each(&self) -> CsvQuery {
        let Self { from, to, as_of, fields, indicators, .. } = self.clone();
        CsvQuery { from, to, as_of, fields, indicators, ..CsvQuery::default() }
    }
}
