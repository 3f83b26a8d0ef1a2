//! What the ingest queue carries.

use serde::{Deserialize, Serialize};

use crate::core::interval::Interval;
use crate::core::key::Series;
use crate::core::symbol::Symbol;
use crate::core::trace::TraceParent;

/// A message of the ingest queue: JSON with a field `kind`.
///
/// `{"kind":"refresh"}` is what a schedule sends; the service answers it with a `fetch` for each series, so that each
/// retries, waits and dead-letters alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum IngestMessage {
    /// Fetch all series of the watchlist, or those of the named symbols.
    Refresh {
        /// The run's name; a message that has none gives its own id to the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<String>,
        /// The symbols; none means all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        symbols: Vec<Symbol>,
    },
    /// Fetch one series.
    Fetch {
        /// The run it belongs to.
        run: String,
        /// Its symbol.
        symbol: Symbol,
        /// Its interval.
        interval: Interval,
        /// The trace that begins with it.
        traceparent: String,
    },
}

impl IngestMessage {
    /// The message that asks for one series.
    #[must_use]
    pub fn fetch(series: Series, run: &str, trace: TraceParent) -> Self {
        let Series { symbol, interval } = series;
        Self::Fetch { run: run.to_owned(), symbol, interval, traceparent: trace.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_schedule_sends_asks_for_everything() {
        let message: IngestMessage = serde_json::from_str(r#"{"kind":"refresh"}"#).unwrap();
        assert_eq!(message, IngestMessage::Refresh { run: None, symbols: vec![] });
    }

    #[test]
    fn a_fetch_is_read_back_from_its_json() {
        let series = Series { symbol: "BTC/USD".parse().unwrap(), interval: Interval::Min5 };
        let message = IngestMessage::fetch(series, "run-1", TraceParent::new(1, 2).unwrap());
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<IngestMessage>(&json).unwrap(), message);
    }

    #[test]
    fn what_is_no_message_is_refused_by_name() {
        for (json, words) in [
            (r#"{"kind":"fetch"}"#, "run"),
            (r#"{"kind":"refresh","symbols":["A B"]}"#, "\"A B\""),
            (r#"{"kind":"dance"}"#, "dance"),
            (r#"{"kind":"refresh","symbol":"AAPL"}"#, "symbol"),
        ] {
            let error = serde_json::from_str::<IngestMessage>(json).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
