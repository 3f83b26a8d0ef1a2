//! Parameters that select loads.

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::symbol::Symbol;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::query::candles::Moment;
use crate::query::page::Paged;
use crate::query::{IntervalName, SymbolName};

/// Selects loads, newest first.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangeQuery {
    /// Only loads of this symbol.
    #[param(value_type = Option<SymbolName>, inline, example = "AAPL")]
    pub symbol: Option<Symbol>,
    /// Only loads of this interval.
    #[param(value_type = Option<IntervalName>, inline)]
    pub interval: Option<Interval>,
    /// Only loads since this time.
    #[param(value_type = Option<Moment>, inline, example = "2024-12-30")]
    pub since: Option<Moment>,
    /// Whether to include loads that changed nothing.
    pub all: Option<bool>,
    /// The maximum number of rows: 1 to 1000 [default: 100].
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 1000>")]
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<i64>,
}

impl ChangeQuery {
    pub fn paged(&self) -> Paged {
        Paged { limit: self.limit, after: self.after }
    }
}
