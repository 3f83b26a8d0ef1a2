//! What stands in the dead-letter queues.

use std::collections::BTreeMap;

use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::sqs_browse;
use candlewick_shared::core::event::{self, Notification};
use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::key::{RawKey, Series, TransformedKey};
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::queue::Message;
use candlewick_shared::runtime::env::Env;

/// How many letters of each queue are looked at: more than anybody reads.
const MOST: usize = 500;

/// A message that can never be settled, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The service that gave it up.
    pub stage: String,
    /// The series that it was about, where it says so.
    pub series: Option<Series>,
    /// What is wrong, where, and what to do next.
    pub reason: String,
}

/// Looks at the dead letters and leaves each where it is.
///
/// # Errors
/// A queue that does not answer.
pub async fn look(aws: &Aws, env: &Env) -> anyhow::Result<Vec<DeadLetter>> {
    let topology = Topology::built_in();
    let mut letters: BTreeMap<String, DeadLetter> = BTreeMap::new();
    for role in topology.queues.keys() {
        let url = topology.dead_letter_name(env.queue_url(role)?);
        let messages = sqs_browse::browse(&aws.sqs(), &url, MOST).await?;
        letters.extend(messages.iter().map(|message| (message.id.clone(), letter(message))));
    }
    Ok(letters.into_values().collect())
}

fn letter(message: &Message) -> DeadLetter {
    let attribute = |name: &str| message.attributes.get(name).cloned();
    DeadLetter {
        stage: attribute("stage").unwrap_or_else(|| "queue".to_owned()),
        series: series_of(&message.body),
        reason: attribute("reason").unwrap_or_else(|| "delivered too often: its consumer died each time".to_owned()),
    }
}

/// The series that a message is about: a fetch names it, an event's key does.
fn series_of(body: &str) -> Option<Series> {
    if let Ok(IngestMessage::Fetch { symbol, interval, .. }) = serde_json::from_str(body) {
        return Some(Series { symbol, interval });
    }
    let Ok(Notification::Objects(objects)) = event::parse(body) else { return None };
    let key = &objects.first()?.key;
    let raw = key.parse::<RawKey>().map(|key| key.path);
    let transformed = || key.parse::<TransformedKey>().map(|key| key.path);
    raw.or_else(|_| transformed()).ok().map(|path| path.series)
}
