//! Keeps the copy of `raw/` up to date while the stack runs. A queue of its own says what was written or removed; a listing
//! at the start, every ten minutes and at the end finds what the queue missed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::core::event::{self, Notification};
use candlewick_shared::ports::queue::{BATCH, Message, Queue};
use candlewick_shared::ports::store::ObjectStore;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::RawCopy;
use crate::progress::Reporter;

/// The pause between two receives, so that a burst of objects takes few calls.
const BETWEEN: Duration = Duration::from_secs(1);

/// How long a received message stays hidden: it is deleted at once.
const LEASE: Duration = Duration::from_secs(30);

/// The time between two listings while the copy is complete.
const RECONCILE: Duration = Duration::from_secs(600);

/// The same while it is not, and how often that is said.
const AGAIN: Duration = Duration::from_secs(60);

/// Keeps a copy up to date.
pub struct Follower {
    copy: RawCopy,
    store: Arc<dyn ObjectStore>,
    events: Arc<dyn Queue>,
    progress: Reporter,
    /// Why the last listing, and the last receive, failed.
    unlisted: Option<String>,
    unheard: Option<String>,
    said: Option<String>,
    said_at: Instant,
}

/// What a receive brought.
struct Heard {
    keys: BTreeSet<String>,
    /// Whether there are probably more messages.
    is_full: bool,
}

impl Follower {
    /// Follows the events of a store's raw objects.
    pub fn new(copy: RawCopy, store: Arc<dyn ObjectStore>, events: Arc<dyn Queue>, progress: Reporter) -> Self {
        Self { copy, store, events, progress, unlisted: None, unheard: None, said: None, said_at: Instant::now() }
    }

    /// Follows until `stop` is cancelled, then completes the copy.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut list_at = Instant::now();
        let mut receive_at = Instant::now();
        loop {
            // Dropping a receive may lose its messages: only a listing may interrupt it.
            let heard = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep_until(list_at) => None,
                heard = hear(&*self.events, receive_at) => Some(heard),
            };
            match heard {
                None => self.reconcile().await,
                Some(heard) => receive_at = self.take(heard).await,
            }
            let next = Instant::now() + if self.lacking().is_some() { AGAIN } else { RECONCILE };
            list_at = if list_at <= Instant::now() { next } else { list_at.min(next) };
            self.say(false);
        }
        self.reconcile().await;
        self.say(true);
    }

    async fn reconcile(&mut self) {
        self.unlisted = self.copy.reconcile(&*self.store).await.err().map(|error| format!("{error:#}"));
    }

    /// Copies what was heard of, and returns when to receive again.
    async fn take(&mut self, heard: anyhow::Result<Heard>) -> Instant {
        let is_full = match heard {
            Ok(Heard { keys, is_full }) => {
                self.unheard = None;
                self.copy.follow(&*self.store, keys).await;
                is_full
            }
            Err(error) => {
                self.unheard = Some(format!("{error:#}"));
                false
            }
        };
        Instant::now() + if is_full { Duration::ZERO } else { BETWEEN }
    }

    /// Says what is missing from the copy when that changes, once a minute, and at the end.
    fn say(&mut self, is_end: bool) {
        let lacking = self.lacking();
        let is_due = lacking.is_some() && (is_end || self.said_at.elapsed() >= AGAIN);
        if lacking != self.said || is_due {
            self.progress.line("raw copy", lacking.as_deref().unwrap_or("complete again"));
            (self.said, self.said_at) = (lacking, Instant::now());
        }
    }

    /// What is missing from the copy, in words.
    fn lacking(&self) -> Option<String> {
        if let Some(error) = self.unlisted.as_ref().or(self.unheard.as_ref()) {
            return Some(format!("not up to date; what is new is lost when this stops: {error}"));
        }
        let left = self.copy.left();
        let (key, why) = left.first()?;
        let others = match left.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        Some(format!("not saved, and lost when this stops: {key} ({why}){others}"))
    }
}

/// The keys of the next events.
async fn hear(events: &dyn Queue, at: Instant) -> anyhow::Result<Heard> {
    sleep_until(at).await;
    let messages = events.receive(BATCH, LEASE).await.context("hear of raw objects")?;
    if !messages.is_empty() {
        // Before they are copied: what fails is tried again without its message.
        let receipts: Vec<_> = messages.iter().map(|message| message.receipt.clone()).collect();
        events.delete(&receipts).await.context("hear of raw objects")?;
    }
    Ok(Heard { keys: messages.iter().flat_map(keys).collect(), is_full: messages.len() == BATCH })
}

/// The keys that a message names. What cannot be read is left to the next listing.
fn keys(message: &Message) -> Vec<String> {
    match event::parse(&message.body) {
        Ok(Notification::Objects(objects)) => objects.into_iter().map(|object| object.key).collect(),
        Ok(Notification::Test) | Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
