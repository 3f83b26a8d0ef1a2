//! What the ingest queue carries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::interval::Interval;
use crate::core::key::Series;
use crate::core::run::{self, Run, RunKind};
use crate::core::symbol::Symbol;
use crate::core::trace::TraceParent;

/// A message of the ingest queue: JSON with a field `kind`.
///
/// `{"kind":"refresh"}` asks for everything; the service answers it with a `fetch` for each series, so that each retries,
/// waits and dead-letters alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum IngestMessage {
    /// Fetch all series of the watchlist, or those of the named symbols.
    Refresh(Refresh),
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
        /// Whether the answer replaces what is kept, whatever it lacks: the owner said so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replace: bool,
    },
}

/// What a refresh asks for. What a schedule sends is `{"kind":"refresh","scheduled":"2024-12-30T22:30:00Z"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The run's name. A message that has none is named by when it was due, and otherwise by its own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// When the schedule was due; none where a person asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Timestamp>,
    /// Whether nobody was there when it was due.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub catch_up: bool,
    /// The symbols; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symbols: Vec<Symbol>,
    /// Whether the answers replace what is kept, whatever they lack: the owner said so of the symbols that are named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// Leaves out the series that were fetched at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_before: Option<Timestamp>,
    /// Which part of the watchlist this message is about; none is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// A part of the watchlist.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// How many come before it.
    pub number: u32,
    /// The symbol of the last series before it.
    pub symbol: Symbol,
    /// The interval of that series.
    pub interval: Interval,
}

impl IngestMessage {
    /// The message that asks for one series.
    #[must_use]
    pub fn fetch(series: Series, run: &str, trace: TraceParent) -> Self {
        let Series { symbol, interval } = series;
        Self::Fetch { run: run.to_owned(), symbol, interval, traceparent: trace.to_string(), replace: false }
    }

    /// The message that asks for one series, the answer to which replaces what is kept, whatever it lacks.
    #[must_use]
    pub fn replacement(series: Series, run: &str, trace: TraceParent) -> Self {
        let Series { symbol, interval } = series;
        Self::Fetch { run: run.to_owned(), symbol, interval, traceparent: trace.to_string(), replace: true }
    }
}

impl Refresh {
    /// The run that it asks for, where the message has this id and came at this time.
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
            is_whole: self.symbols.is_empty(),
        }
    }

    /// The series that the page before this one ended with.
    #[must_use]
    pub fn last_before(&self) -> Option<Series> {
        self.page.as_ref().map(|page| Series { symbol: page.symbol.clone(), interval: page.interval })
    }

    /// How many pages come before this one.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.page.as_ref().map_or(0, |page| page.number)
    }

    /// The page of a run behind this one, which ended with a series.
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
        let first = refresh(r#"{"kind":"refresh","scheduled":"2024-12-30T22:30:00Z","symbols":["A","BTC/USD"]}"#);
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
