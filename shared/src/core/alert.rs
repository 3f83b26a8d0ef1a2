//! What the owner should know: the kinds of alerts, and the messages of the alerts queue.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::core::key::Series;

/// How long a text of an alert may be, in bytes. What is longer belongs in a log.
const MOST_OF_A_TEXT: usize = 2_000;

/// What kind of thing an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The watchlist cannot be gone by until somebody mends it.
    BadWatchlist,
    /// The calendar of an exchange ends soon: from then on nothing is filled or held to it.
    CalendarHorizon,
    /// A new version of an object took away more of a series than its owner allows.
    CandlesLost,
    /// The credits of the API's plan are used up for the day, and fetching waits.
    CreditsGone,
    /// A message can never be settled, and stands in a dead-letter queue.
    DeadLetter,
    /// Cleaning set aside or filled a larger share of an object than its owner allows.
    DirtyObject,
    /// The source lacks candles that it gave before. The stored ones are kept until the owner accepts the loss.
    HistoryShrank,
    /// A series could not be fetched, and is given up.
    IngestFailed,
    /// Candles are missing for longer than cleaning fills.
    LongGap,
    /// The source gives prices under a symbol that have nothing in common with the stored ones: probably those of
    /// another instrument. The stored candles are kept until the owner accepts the new ones.
    OtherInstrument,
    /// Something that a service depends on does not work, so that the service receives no messages.
    Outage,
    /// A run ended, and some of its series failed.
    RunFailed,
    /// A split was found, and the history fetched anew.
    SplitFound,
    /// A candle that must be there by now is not.
    StaleSeries,
}

/// How much an alert presses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// To be known. It is told once and stands in the daily digest.
    Notice,
    /// To be mended. It is told again and again until it is.
    Error,
}

/// The text names no kind of alert.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no alert is of kind {0:?}")]
pub struct UnknownKind(String);

impl Kind {
    /// Every kind, by its name.
    pub const ALL: [Self; 14] = [
        Self::BadWatchlist,
        Self::CalendarHorizon,
        Self::CandlesLost,
        Self::CreditsGone,
        Self::DeadLetter,
        Self::DirtyObject,
        Self::HistoryShrank,
        Self::IngestFailed,
        Self::LongGap,
        Self::OtherInstrument,
        Self::Outage,
        Self::RunFailed,
        Self::SplitFound,
        Self::StaleSeries,
    ];

    /// Its name in messages, tables and programs: `dead_letter`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadWatchlist => "bad_watchlist",
            Self::CalendarHorizon => "calendar_horizon",
            Self::CandlesLost => "candles_lost",
            Self::CreditsGone => "credits_gone",
            Self::DeadLetter => "dead_letter",
            Self::DirtyObject => "dirty_object",
            Self::HistoryShrank => "history_shrank",
            Self::IngestFailed => "ingest_failed",
            Self::LongGap => "long_gap",
            Self::OtherInstrument => "other_instrument",
            Self::Outage => "outage",
            Self::RunFailed => "run_failed",
            Self::SplitFound => "split_found",
            Self::StaleSeries => "stale_series",
        }
    }

    /// How much it presses.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::CalendarHorizon | Self::CandlesLost | Self::DirtyObject | Self::LongGap | Self::SplitFound => {
                Severity::Notice
            }
            Self::BadWatchlist
            | Self::CreditsGone
            | Self::DeadLetter
            | Self::HistoryShrank
            | Self::IngestFailed
            | Self::OtherInstrument
            | Self::Outage
            | Self::RunFailed
            | Self::StaleSeries => Severity::Error,
        }
    }

    /// Whether it is something that happened, and not a state that ends: nothing resolves it, and it is over once told.
    #[must_use]
    pub fn is_news(self) -> bool {
        matches!(self, Self::CandlesLost | Self::SplitFound)
    }
}

impl Severity {
    /// Its name: `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// Whether a thing is wrong, or well again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is wrong.
    #[default]
    Firing,
    /// It is well again.
    Resolved,
}

impl State {
    /// Its name: `firing`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// Something the owner should know. Two alerts of the same kind, stage, class and subject are one, seen twice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Alert {
    /// What kind of thing it is.
    pub kind: Kind,
    /// Whether it is wrong, or well again.
    #[serde(default)]
    pub state: State,
    /// What it affects: a series, an object, a queue, a calendar.
    pub subject: String,
    /// The kind of failure within its kind: `unreadable_object`; empty where there is but one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// What happened. Never a secret.
    pub text: String,
    /// The series that it affects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
    /// The key of the object that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The run that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The trace that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What raised it: two alerts of one cause are one, told twice. None where every alert has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Alert {
    /// An alert about a subject.
    #[must_use]
    pub fn new(kind: Kind, subject: impl ToString, text: impl ToString) -> Self {
        let (subject, text) = (readable(&subject.to_string()), readable(&text.to_string()));
        let (series, key, run, trace_id, cause) = (None, None, None, None, None);
        Self { kind, state: State::Firing, subject, class: String::new(), text, series, key, run, trace_id, cause }
    }

    /// The same, of a class within its kind.
    #[must_use]
    pub fn class(self, class: impl ToString) -> Self {
        Self { class: readable(&class.to_string()), ..self }
    }

    /// The same, about a series.
    #[must_use]
    pub fn series(self, series: Option<Series>) -> Self {
        Self { series, ..self }
    }

    /// The same, about an object.
    #[must_use]
    pub fn key(self, key: Option<String>) -> Self {
        Self { key: key.map(|key| readable(&key)), ..self }
    }

    /// The same, of a run.
    #[must_use]
    pub fn run(self, run: Option<String>) -> Self {
        Self { run: run.map(|run| readable(&run)), ..self }
    }

    /// The same, of a trace.
    #[must_use]
    pub fn traced(self, trace_id: Option<String>) -> Self {
        Self { trace_id: trace_id.map(|id| readable(&id)), ..self }
    }

    /// The same, raised by this and nothing else: however often it is said, it counts once.
    #[must_use]
    pub fn cause(self, cause: impl ToString) -> Self {
        Self { cause: Some(readable(&cause.to_string())), ..self }
    }

    /// The same thing, well again.
    #[must_use]
    pub fn resolved(self) -> Self {
        Self { state: State::Resolved, ..self }
    }
}

/// A message of the alerts queue: an alert, who raised it and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AlertEvent {
    /// Its id: an event that comes twice counts once.
    pub id: String,
    /// When it was raised, by Candlewick's clock.
    pub at: Timestamp,
    /// The service that raised it.
    pub stage: String,
    /// The alert.
    #[serde(flatten)]
    pub alert: Alert,
}

/// Text as SQS, PostgreSQL and an e-mail take it, and no longer than somebody reads.
fn readable(text: &str) -> String {
    let is_refused = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
    let text = &text[..text.floor_char_boundary(MOST_OF_A_TEXT)];
    text.chars().map(|c| if is_refused(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_name_and_written_so_in_json() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("{:?}", kind.as_str()));
        }
        assert!("fire".parse::<Kind>().unwrap_err().to_string().contains("\"fire\""));
    }

    #[test]
    fn an_event_is_read_back_from_its_json() {
        let series = Series { symbol: "BTC/USD".parse().unwrap(), interval: "1day".parse().unwrap() };
        let alert = Alert::new(Kind::DeadLetter, &series, "line 3").class("bad").series(Some(series));
        let alert = alert.key(Some("raw/x".to_owned())).run(Some("r".to_owned())).traced(Some("t".to_owned()));
        let event = AlertEvent {
            id: "1".to_owned(),
            at: Timestamp::from_second(0).unwrap(),
            stage: "transform".to_owned(),
            alert: alert.cause("message 1").resolved(),
        };
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<AlertEvent>(&json).unwrap(), event);
    }

    #[test]
    fn the_least_that_an_event_says_is_enough() {
        let json =
            r#"{"id":"1","at":"2024-12-30T22:00:00Z","stage":"s","kind":"split_found","subject":"A","text":"B"}"#;
        let event: AlertEvent = serde_json::from_str(json).unwrap();
        assert_eq!(event.alert, Alert::new(Kind::SplitFound, "A", "B"));
    }

    #[test]
    fn a_text_is_one_that_everybody_takes() {
        let text = format!("a\0b\u{ffff}c\nd{}", "é".repeat(2_000));
        let text = Alert::new(Kind::DeadLetter, "x", text).text;
        assert!(text.starts_with("a b c\nd") && text.len() <= MOST_OF_A_TEXT, "{text}");
    }
}
