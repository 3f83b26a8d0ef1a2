//! The messages of the ingest queue.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::interval::Interval;
use crate::core::key::Series;
use crate::core::run::{self, Run, RunKind};
use crate::core::symbol::Symbol;
use crate::core::trace::TraceParent;

/// A message of the ingest queue: JSON with a field `kind`.
///
/// `{"kind":"refresh"}` asks for all series. The service splits it into one `fetch` message per series, so that each
/// series is retried, delayed and dead-lettered independently.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum IngestMessage {
    /// Fetch all series of the watchlist, or those of the given symbols.
    Refresh(Refresh),
    /// Fetch one series.
    Fetch {
        /// The id of the run.
        run: String,
        /// The instrument of the series.
        symbol: Symbol,
        /// The interval of the series.
        interval: Interval,
        /// The trace that starts with this message, as a W3C `traceparent`.
        traceparent: String,
        /// Whether the answer replaces the stored candles even if candles are missing from it. The owner asked for
        /// this.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replace: bool,
    },
}

/// A request to fetch many series. A schedule sends `{"kind":"refresh","scheduled":"2024-12-30T22:30:00Z"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The id of the run. Without it, the id is derived from `scheduled` or else from the id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// When the schedule was due, or `None` if a person asked for the refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Timestamp>,
    /// Whether ingest was not running when the schedule was due.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub catch_up: bool,
    /// The symbols to fetch; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symbols: Vec<Symbol>,
    /// The intervals to fetch; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<Interval>,
    /// Whether the answers replace the stored candles even if candles are missing from them. The owner asked for this
    /// for the given symbols.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// Skips the series that were fetched at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_before: Option<Timestamp>,
    /// The page of the watchlist that this message is about; `None` is the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// The position of a page in the watchlist. It names the last series before the page, so that it stays valid when the
/// watchlist changes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The number of pages before this one.
    pub number: u32,
    /// The symbol of the last series before this page.
    pub symbol: Symbol,
    /// The interval of the last series before this page.
    pub interval: Interval,
}

impl IngestMessage {
    /// Creates a request for one series.
    #[must_use]
    pub fn fetch(series: Series, run: &str, trace: TraceParent) -> Self {
        let Series { symbol, interval } = series;
        Self::Fetch { run: run.to_owned(), symbol, interval, traceparent: trace.to_string(), replace: false }
    }

    /// Creates a request for one series whose answer replaces the stored candles even if candles are missing from it.
    #[must_use]
    pub fn replacement(series: Series, run: &str, trace: TraceParent) -> Self {
        let Series { symbol, interval } = series;
        Self::Fetch { run: run.to_owned(), symbol, interval, traceparent: trace.to_string(), replace: true }
    }
}

impl Refresh {
    /// Returns the requested run. `message` is the id of the message, and `now` is when it was received.
    #[must_use]
    pub fn run(&self, message: &str, now: Timestamp) -> Run {
        let named = self.run.clone().or_else(|| self.scheduled.map(run::scheduled_id));
        let kind = match self.scheduled {
            Some(_) if self.catch_up => RunKind::CatchUp,
            Some(_) => RunKind::Scheduled,
            None => RunKind::Manual,
        };
        Run {
            id: named.unwrap_or_else(|| message.to_owned()),
            kind,
            requested_at: self.scheduled.unwrap_or(now),
            is_whole: self.symbols.is_empty() && self.intervals.is_empty(),
        }
    }

    /// Returns the last series of the previous page.
    #[must_use]
    pub fn last_before(&self) -> Option<Series> {
        self.page.as_ref().map(|page| Series { symbol: page.symbol.clone(), interval: page.interval })
    }

    /// Returns how many pages come before this one.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.page.as_ref().map_or(0, |page| page.number)
    }

    /// Creates the request for the next page of a run. `last` is the last series of this page.
    #[must_use]
    pub fn next(&self, run: &str, last: &Series) -> Self {
        let page = Page { number: self.number() + 1, symbol: last.symbol.clone(), interval: last.interval };
        Self { run: Some(run.to_owned()), page: Some(page), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refresh(json: &str) -> Refresh {
        match serde_json::from_str(json).unwrap() {
            IngestMessage::Refresh(refresh) => refresh,
            other => panic!("no refresh: {other:?}"),
        }
    }

    fn run(json: &str) -> (String, RunKind, String, bool) {
        let run = refresh(json).run("message-1", "2024-12-30T23:00:00Z".parse().unwrap());
        (run.id, run.kind, run.requested_at.to_string(), run.is_whole)
    }

    #[test]
    fn what_a_person_sends_asks_for_everything() {
        assert_eq!(refresh(r#"{"kind":"refresh"}"#), Refresh::default());
        let expected = ("message-1".to_owned(), RunKind::Manual, "2024-12-30T23:00:00Z".to_owned(), true);
        assert_eq!(run(r#"{"kind":"refresh"}"#), expected);
        assert_eq!(run(r#"{"kind":"refresh","run":"r","symbols":["AAPL"]}"#).0, "r");
        assert!(!run(r#"{"kind":"refresh","symbols":["AAPL"]}"#).3);
        assert!(!run(r#"{"kind":"refresh","intervals":["1day"]}"#).3);
    }

    #[test]
    fn what_was_due_at_a_time_is_one_run_whoever_says_so() {
        let due = "2024-12-30T22:30:00Z".to_owned();
        let id = "20241230T223000-scheduled".to_owned();
        let scheduled = (id.clone(), RunKind::Scheduled, due.clone(), true);
        assert_eq!(run(r#"{"kind":"refresh","scheduled":"2024-12-30T22:30:00Z"}"#), scheduled);
        assert_eq!(run(r#"{"kind":"refresh","scheduled":"2024-12-30T17:30:00-05:00"}"#), scheduled);
        let late = r#"{"kind":"refresh","scheduled":"2024-12-30T22:30:00Z","catch_up":true}"#;
        assert_eq!(run(late), (id, RunKind::CatchUp, due, true));
    }

    #[test]
    fn a_page_is_read_back_from_its_json_and_leads_to_the_next() {
        let last = |symbol: &str| Series { symbol: symbol.parse().unwrap(), interval: Interval::Min5 };
        let first = refresh(
            r#"{"kind":"refresh","scheduled":"2024-12-30T22:30:00Z","symbols":["A","BTC/USD"],"intervals":["5min"]}"#,
        );
        let second = first.next("run-1", &last("A"));
        assert_eq!((first.number(), first.last_before()), (0, None));
        assert_eq!((second.number(), second.last_before()), (1, Some(last("A"))));
        assert_eq!(second.next("run-1", &last("BTC/USD")).number(), 2);
        let json = serde_json::to_string(&IngestMessage::Refresh(second.clone())).unwrap();
        assert_eq!(refresh(&json), second, "{json}");
    }

    #[test]
    fn a_fetch_is_read_back_from_its_json() {
        let series = Series { symbol: "BTC/USD".parse().unwrap(), interval: Interval::Min5 };
        let message = IngestMessage::fetch(series, "run-1", TraceParent::new(1, 2).unwrap());
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<IngestMessage>(&json).unwrap(), message);
    }

    #[test]
    fn what_replaces_is_said_in_every_message_and_nothing_else_says_it() {
        let asked = refresh(r#"{"kind":"refresh","symbols":["AAPL"],"replace":true}"#);
        let last = Series { symbol: "AAPL".parse().unwrap(), interval: Interval::Min5 };
        assert!(asked.replace && asked.next("run-1", &last).replace);
        let trace = || TraceParent::new(1, 2).unwrap();
        let replacement = IngestMessage::replacement(last.clone(), "run-1", trace());
        let json = serde_json::to_string(&replacement).unwrap();
        assert_eq!(serde_json::from_str::<IngestMessage>(&json).unwrap(), replacement);
        let old = serde_json::to_string(&IngestMessage::fetch(last, "run-1", trace())).unwrap();
        assert!(!old.contains("replace"), "a version before this one reads it: {old}");
    }

    #[test]
    fn what_is_no_message_is_refused_by_name() {
        for (json, words) in [
            (r#"{"kind":"fetch"}"#, "run"),
            (r#"{"kind":"refresh","symbols":["A B"]}"#, "\"A B\""),
            (r#"{"kind":"dance"}"#, "dance"),
            (r#"{"kind":"refresh","symbol":"AAPL"}"#, "symbol"),
            (r#"{"kind":"refresh","scheduled":"<aws.scheduler.scheduled-time>"}"#, "year"),
            (r#"{"kind":"refresh","page":{"number":1}}"#, "symbol"),
        ] {
            let error = serde_json::from_str::<IngestMessage>(json).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
