//! Alerts to the owner: their kinds and the messages of the alerts queue.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::core::invisible::is_invisible;
use crate::core::key::Series;

/// The maximum length of a text in an alert, in bytes. Longer texts belong in the log.
const MAX_TEXT_BYTES: usize = 2_000;

/// The kind of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The watchlist or a calendar next to it cannot be used until the owner corrects it.
    BadWatchlist,
    /// The calendar of an exchange ends soon. After its end, candles are neither checked against it nor filled.
    CalendarHorizon,
    /// A new version of an object removed more of a series than the owner allows.
    CandlesLost,
    /// The day's API credits are used up, and fetching waits for new ones.
    CreditsGone,
    /// A message can never be settled and was moved to a dead-letter queue.
    DeadLetter,
    /// Cleaning quarantined or filled a larger share of an object than the owner allows.
    DirtyObject,
    /// A sink of events has not accepted one for an hour.
    EventsUndelivered,
    /// The source no longer has candles that it sent before. The stored ones are kept until the owner accepts the loss.
    HistoryShrank,
    /// A series could not be fetched and was given up.
    IngestFailed,
    /// More consecutive candles are missing than cleaning fills.
    LongGap,
    /// The source's prices for a symbol have nothing in common with the stored ones, so they probably belong to another
    /// instrument. The stored candles are kept until the owner accepts the new ones.
    OtherInstrument,
    /// A dependency of a service does not work, so the service receives no messages.
    Outage,
    /// A run ended with failed series.
    RunFailed,
    /// A split was found and the history was fetched again.
    SplitFound,
    /// A candle is missing that should have been loaded by now.
    StaleSeries,
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information. It is sent once and listed in the daily digest.
    Notice,
    /// The owner must act. Reminders are sent until the alert is resolved.
    Error,
}

/// The text is not the name of an alert kind.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("unknown alert kind {0:?}")]
pub struct UnknownKind(String);

impl Kind {
    /// Every kind, in the order of the names.
    pub const ALL: [Self; 15] = [
        Self::BadWatchlist,
        Self::CalendarHorizon,
        Self::CandlesLost,
        Self::CreditsGone,
        Self::DeadLetter,
        Self::DirtyObject,
        Self::EventsUndelivered,
        Self::HistoryShrank,
        Self::IngestFailed,
        Self::LongGap,
        Self::OtherInstrument,
        Self::Outage,
        Self::RunFailed,
        Self::SplitFound,
        Self::StaleSeries,
    ];

    /// Returns the name in messages, tables and programs, such as `dead_letter`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadWatchlist => "bad_watchlist",
            Self::CalendarHorizon => "calendar_horizon",
            Self::CandlesLost => "candles_lost",
            Self::CreditsGone => "credits_gone",
            Self::DeadLetter => "dead_letter",
            Self::DirtyObject => "dirty_object",
            Self::EventsUndelivered => "events_undelivered",
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

    /// Returns how urgent alerts of this kind are.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::CalendarHorizon | Self::CandlesLost | Self::DirtyObject | Self::LongGap | Self::SplitFound => {
                Severity::Notice
            }
            Self::BadWatchlist
            | Self::CreditsGone
            | Self::DeadLetter
            | Self::EventsUndelivered
            | Self::HistoryShrank
            | Self::IngestFailed
            | Self::OtherInstrument
            | Self::Outage
            | Self::RunFailed
            | Self::StaleSeries => Severity::Error,
        }
    }

    /// Whether alerts of this kind report an event and not a lasting state. Nothing resolves them, and they are
    /// finished once sent.
    #[must_use]
    pub fn is_news(self) -> bool {
        matches!(self, Self::CandlesLost | Self::SplitFound)
    }
}

impl Severity {
    /// Returns the name in messages and tables, such as `error`.
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

/// Whether the problem of an alert exists or is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The problem exists.
    #[default]
    Firing,
    /// The problem is over.
    Resolved,
}

impl State {
    /// Returns the name in messages and tables, such as `firing`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// Something the owner should know. Alerts of the same kind, stage, class and subject are repetitions of one alert.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Alert {
    /// The kind of problem or event.
    pub kind: Kind,
    /// Whether the problem exists or is over.
    #[serde(default)]
    pub state: State,
    /// What is affected, such as a series, an object, a queue or a calendar.
    pub subject: String,
    /// The class of failure within the kind, such as `unreadable_object`. Empty if the kind has no classes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// What happened, for the owner to read. It must not contain secrets.
    pub text: String,
    /// The affected series, if there is exactly one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
    /// The key of the affected object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The id of the run during which the alert was raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The id of the trace in which the alert was raised, 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What raised the alert. Alerts with the same cause count once; `None` means that every alert counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Alert {
    /// Creates a firing alert. Control characters in its texts become spaces, and long texts are cut off.
    #[must_use]
    pub fn new(kind: Kind, subject: impl ToString, text: impl ToString) -> Self {
        Self {
            kind,
            state: State::Firing,
            subject: sanitize(&subject.to_string()),
            class: String::new(),
            text: sanitize(&text.to_string()),
            series: None,
            key: None,
            run: None,
            trace_id: None,
            cause: None,
        }
    }

    /// Sets the class of failure within the kind.
    #[must_use]
    pub fn class(self, class: impl ToString) -> Self {
        Self { class: sanitize(&class.to_string()), ..self }
    }

    /// Sets the affected series.
    #[must_use]
    pub fn series(self, series: Option<Series>) -> Self {
        Self { series, ..self }
    }

    /// Sets the key of the affected object.
    #[must_use]
    pub fn key(self, key: Option<String>) -> Self {
        Self { key: key.map(|key| sanitize(&key)), ..self }
    }

    /// Sets the id of the run.
    #[must_use]
    pub fn run(self, run: Option<String>) -> Self {
        Self { run: run.map(|run| sanitize(&run)), ..self }
    }

    /// Sets the id of the trace.
    #[must_use]
    pub fn traced(self, trace_id: Option<String>) -> Self {
        Self { trace_id: trace_id.map(|id| sanitize(&id)), ..self }
    }

    /// Sets the cause, so that the alert counts once however often it is raised for it.
    #[must_use]
    pub fn cause(self, cause: impl ToString) -> Self {
        Self { cause: Some(sanitize(&cause.to_string())), ..self }
    }

    /// Turns the alert into the report that its problem is over.
    #[must_use]
    pub fn resolved(self) -> Self {
        Self { state: State::Resolved, ..self }
    }
}

/// A message of the alerts queue: an alert, the service that raised it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AlertEvent {
    /// A unique id. An event that is delivered twice counts once.
    pub id: String,
    /// When the alert was raised, by Candlewick's clock.
    pub at: Timestamp,
    /// The service that raised the alert.
    pub stage: String,
    /// The alert itself. In JSON its fields are next to those of the event.
    #[serde(flatten)]
    pub alert: Alert,
}

/// Shortens a text and replaces the characters that SQS, PostgreSQL or e-mail do not accept, and those that would make
/// it look like another text.
fn sanitize(text: &str) -> String {
    let is_unknown = |c: char| matches!(c, '\u{fffe}' | '\u{ffff}');
    let is_refused = |c: char| (c.is_control() && c != '\n') || is_unknown(c) || is_invisible(c);
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
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
        assert_eq!(Alert::new(Kind::DeadLetter, "SEC\u{202e}LPAA", "").subject, "SEC LPAA");
        let text = Alert::new(Kind::DeadLetter, "x", text).text;
        assert!(text.starts_with("a b c\nd") && text.len() <= MAX_TEXT_BYTES, "{text}");
    }
}
