//! Parameters of the events of loads.

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::loaded_event::EventCursor;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::reads::loaded_events::{MOST, Selection};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::query::{IntervalName, SymbolName};
use crate::waiting::Wait;

/// Selects events of loads.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LoadedEventQuery {
    /// The `next` of the previous answer; `0` is before the first event that is kept [default: only events from now on].
    #[param(value_type = Option<i64>, minimum = 0, example = 4711)]
    pub after: Option<EventCursor>,
    /// Only events of this symbol.
    #[param(value_type = Option<SymbolName>, inline, example = "AAPL")]
    pub symbol: Option<Symbol>,
    /// Only events of this interval.
    #[param(value_type = Option<IntervalName>, inline)]
    pub interval: Option<Interval>,
    /// Answer when there is an event, or after this time: at most `55s` [default: at once].
    #[param(value_type = Option<String>, example = "30s")]
    pub wait: Option<Wait>,
    /// The maximum number of events: 1 to 1000 [default: 1000].
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 1000>")]
    pub limit: Option<u32>,
}

impl LoadedEventQuery {
    pub fn selection(&self) -> Selection {
        Selection { symbol: self.symbol.clone(), interval: self.interval }
    }

    pub fn most(&self) -> u32 {
        self.limit.unwrap_or(MOST)
    }
}
