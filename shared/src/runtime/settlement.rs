//! What becomes of a message when its work ended.

use std::sync::Arc;
use std::time::Duration;

use crate::ports::notifier::Notifier;
use crate::ports::queue::{Message, Queue};
use crate::runtime::attempts::Attempts;
use crate::runtime::backoff::Backoff;
use crate::runtime::breaker::Breaker;
use crate::runtime::consumer::Policy;
use crate::runtime::dead_letter::{alert, dead_letter};
use crate::runtime::deletions::Deletions;
use crate::runtime::evidence::Evidence;
use crate::runtime::measures;
use crate::runtime::outage_alert::OutageAlert;
use crate::runtime::outcome::{Failure, Outcome, Setback, Settled};
use crate::runtime::suspicion::{self, Standing, first_id};

/// The longest that a message is hidden. SQS ends every lease twelve hours after the receipt, and refuses what would go
/// beyond.
const LONGEST_WAIT: Duration = Duration::from_secs(11 * 3600);

/// How often a message may find something down that works for others in between, before it is the message's own failure.
/// Chance alone does not get there: by it, even half of all tries failing gives up one message in a million.
const CONVINCING: u32 = 20;

/// Deletes, buries or gives back what was in hand.
pub struct Settlement {
    /// What is done here, for logs and dead letters.
    pub stage: &'static str,
    /// Where the messages come from.
    pub queue: Arc<dyn Queue>,
    /// How the work is gone about.
    pub policy: Policy,
    /// Whether what the work needs is down.
    pub breaker: Breaker,
    dead_letters: Arc<dyn Queue>,
    notifier: Arc<dyn Notifier>,
    deletions: Deletions,
    failures: Attempts,
    outages: Attempts,
    /// Deliveries that ended well without settling their message.
    returned: Attempts,
    evidence: Evidence,
    /// Tells the owner that nothing is received.
    pub outage: OutageAlert,
}

impl Settlement {
    /// Settles messages of one queue.
    #[must_use]
    pub fn new(
        stage: &'static str,
        queue: Arc<dyn Queue>,
        dead_letters: Arc<dyn Queue>,
        notifier: Arc<dyn Notifier>,
        deletions: Deletions,
        policy: Policy,
    ) -> Self {
        Self {
            stage,
            policy,
            breaker: Breaker::new(policy.outage),
            outage: OutageAlert::new(stage, Arc::clone(&queue), Arc::clone(&notifier)),
            queue,
            dead_letters,
            notifier,
            deletions,
            failures: Attempts::default(),
            outages: Attempts::default(),
            returned: Attempts::default(),
            evidence: Evidence::default(),
        }
    }

    /// Does what an outcome asks for.
    pub async fn settle(&self, message: &Message, outcome: Outcome) {
        match outcome {
            Ok(Settled::Unseen(_)) => self.delete(message).await,
            Ok(Settled::Done | Settled::Superseded(_)) => {
                self.succeeded(message).await;
                self.delete(message).await;
            }
            // It says nothing about an outage: a message can be broken beyond any look at what is down.
            Err(Setback::Permanent(failure)) => self.bury(message, failure).await,
            Err(Setback::Retry(error)) => self.retry(message, "gave_up", &error).await,
            Err(Setback::Unclear { class, error }) => self.weigh(message, class, &error).await,
            Err(Setback::Down(error)) => self.suffer(message, &error).await,
            Err(Setback::Later { wait, reason }) => {
                tracing::info!(id = message.id, "{reason}; trying again in {wait:.0?}");
                self.give_back(message, wait).await;
            }
            Err(Setback::LeaseLost { by_queue }) => {
                if by_queue {
                    self.returned.failed(&message.id);
                }
                tracing::warn!(id = message.id, "the lease was lost; the work was given up");
            }
        }
    }

    async fn succeeded(&self, message: &Message) {
        self.evidence.succeeded(first_id(message));
        self.breaker.succeeded();
        self.outage.is_over().await;
    }

    /// A failure that may be the message's or an outage: while nothing succeeds, what others met decides.
    async fn weigh(&self, message: &Message, class: &'static str, error: &anyhow::Error) {
        self.evidence.failed(first_id(message));
        if self.breaker.outage().is_some() || self.evidence.is_against_the_dependency() {
            return self.wait_for_what_is_down(message, error).await;
        }
        self.retry(message, class, error).await;
    }

    /// An outage, unless only this message ever meets it.
    async fn suffer(&self, message: &Message, error: &anyhow::Error) {
        let alone = self.evidence.failed(first_id(message));
        if alone >= CONVINCING {
            let words = format!("it failed {alone} times while others succeeded in between: {error:#}");
            return self.bury(message, Failure::new("gave_up", words)).await;
        }
        self.wait_for_what_is_down(message, error).await;
    }

    async fn delete(&self, message: &Message) {
        let id = first_id(message);
        self.failures.settled(id);
        self.outages.settled(id);
        self.evidence.settled(id);
        // Should it come again because it was not deleted, that is accounted for.
        self.returned.failed(&message.id);
        self.deletions.add(message.receipt.clone()).await;
    }

    async fn retry(&self, message: &Message, class: &'static str, error: &anyhow::Error) {
        let failures = self.failures.failed(first_id(message));
        if failures >= self.policy.attempts {
            let words = format!("given up after {failures} failures: {error:#}");
            return self.bury(message, Failure::new(class, words)).await;
        }
        let wait = self.policy.retry.wait(failures);
        tracing::warn!(id = message.id, attempt = message.receive_count, "{error:#}; trying again in {wait:.1?}");
        self.give_back(message, wait).await;
    }

    /// A message that meets an outage again and again stays away for longer each time: otherwise its probes alone would
    /// use up, in a long outage, the receives after which the queue itself gives it up. How often it was received before is
    /// not the measure: consumers that died with it were no outage, and it is not to wait for minutes because of them.
    async fn wait_for_what_is_down(&self, message: &Message, error: &anyhow::Error) {
        let what = format!("{error:#}");
        if self.breaker.outage().is_none() {
            self.outage.begins();
        }
        let wait = self.breaker.failed(&what);
        tracing::warn!(id = message.id, "{what}; receiving again in {wait:.1?}");
        let own = Backoff { first: self.policy.outage.first, most: self.policy.retry.most };
        let own = own.wait(self.outages.failed(first_id(message)));
        // It is away for longer than nothing is received, so that the next probe is another message.
        self.give_back(message, own.max(wait * 2)).await;
        if let Some(outage) = self.breaker.outage() {
            self.outage.lasts(&outage.what, outage.since).await;
        }
    }

    /// Moves a message to the dead-letter queue. It is deleted here only once it stands there and the owner was told: a
    /// crash between the steps buries it twice rather than in silence.
    async fn bury(&self, message: &Message, failure: Failure) {
        let letter = dead_letter(self.stage, message, &failure);
        if let Err(error) = self.dead_letters.send(&[letter]).await {
            tracing::warn!(id = message.id, "not moved to the dead-letter queue: {error}");
            return self.give_back(message, self.policy.retry.wait(self.outages.failed(first_id(message)))).await;
        }
        self.notifier.notify(alert(self.stage, message, &failure)).await;
        self.delete(message).await;
        measures::buried(self.stage, failure.class);
    }

    /// How a message stands that was just received.
    pub fn standing(&self, message: &Message) -> Standing {
        suspicion::standing(message, self.returned.count(&message.id), self.policy.most_lost)
    }

    /// A delivery that nobody works on, because a newer one of the same message came with it.
    pub fn is_doubled(&self, message: &Message) {
        self.returned.failed(&message.id);
    }

    /// Replaces a message by a copy that will be worked on alone.
    pub async fn set_aside(&self, message: &Message) {
        tracing::warn!(id = message.id, "it may have killed its consumer: it is put aside, to be worked on alone");
        self.replace(message, 1, Duration::ZERO).await;
    }

    /// Buries a message that killed its consumer each time.
    pub async fn bury_killer(&self, message: &Message, lost: u32) {
        let words = format!(
            "it cost {lost} consumers their lease, their memory or their life, and nothing else was in process the last times"
        );
        self.bury(message, Failure::new("kills_its_consumer", words)).await;
    }

    /// Ends the lease after a wait; where even that fails, it ends by itself. A copy is replaced by another one, so that what
    /// it cost is known after a restart too.
    pub async fn give_back(&self, message: &Message, wait: Duration) {
        match self.standing(message) {
            Standing::Copy(lost) => self.replace(message, lost, wait).await,
            _ => self.hide(message, wait).await,
        }
    }

    async fn replace(&self, message: &Message, lost: u32, wait: Duration) {
        match self.queue.send_after(&suspicion::copy(message, lost), wait).await {
            Ok(()) => {
                self.returned.failed(&message.id);
                // At once, and not with others: what comes next may be the copy, which may end this process.
                if let Err(error) = self.queue.delete(std::slice::from_ref(&message.receipt)).await {
                    tracing::warn!(id = message.id, "replaced by a copy, and not deleted: {error}");
                }
            }
            Err(error) => {
                tracing::warn!(id = message.id, "not replaced by a copy: {error}");
                self.hide(message, self.policy.retry.first).await;
            }
        }
    }

    async fn hide(&self, message: &Message, wait: Duration) {
        self.returned.failed(&message.id);
        if let Err(error) = self.queue.extend(&message.receipt, wait.min(LONGEST_WAIT)).await {
            tracing::warn!(id = message.id, "not given back: {error}");
        }
    }
}
