//! Parameters of runs.

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::run::RunId;
use candlewick_shared::core::symbol::Symbol;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::query::page::Paged;
use crate::query::{IntervalName, SymbolName};
use crate::waiting::Wait;

/// A run in a path.
#[derive(Clone, Debug, Deserialize)]
pub struct RunPath {
    pub id: RunId,
}

/// How long the answer about a run may wait.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// Answer when the run has ended, or after this time: at most `55s` [default: at once].
    #[param(value_type = Option<String>, pattern = "^([0-9]|[1-4][0-9]|5[0-5])s$", example = "30s")]
    pub wait: Option<Wait>,
}

/// Which series of a run, and how long the answer may wait.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunSeriesQuery {
    /// Only this symbol.
    #[param(value_type = Option<SymbolName>, inline)]
    pub symbol: Option<Symbol>,
    /// Only this interval.
    #[param(value_type = Option<IntervalName>, inline)]
    pub interval: Option<Interval>,
    /// Answer when each series on the page is settled or has got this far, or after `wait` [default: loaded].
    #[param(inline)]
    pub until: Option<Until>,
    /// How long to wait for that: at most `55s` [default: not at all].
    #[param(value_type = Option<String>, pattern = "^([0-9]|[1-4][0-9]|5[0-5])s$", example = "30s")]
    pub wait: Option<Wait>,
    /// The maximum number of rows: 1 to 1000 [default: 100].
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 1000>")]
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<i64>,
}

impl RunSeriesQuery {
    pub fn paged(&self) -> Paged {
        Paged { limit: self.limit, after: self.after }
    }
}

/// How far a series is to get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Its raw objects are written.
    Fetched,
    /// Its transformed objects are written.
    Transformed,
    /// Its candles are in the database.
    #[default]
    Loaded,
}
