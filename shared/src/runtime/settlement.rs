//! What becomes of a message when its work ended.

use std::sync::Arc;
use std::time::Duration;

use crate::ports::notifier::Notifier;
use crate::ports::queue::{Message, Queue};
use crate::runtime::attempts::Attempts;
use crate::runtime::backoff::Backoff;
use crate::runtime::breaker::Breaker;
use crate::runtime::dead_letter::{alert, dead_letter};
use crate::runtime::deletions::Deletions;
use crate::runtime::evidence::Evidence;
use crate::runtime::losses::{self, Standing, first_id};
use crate::runtime::measures;
use crate::runtime::outage_alert::OutageAlert;
use crate::runtime::outcome::{Failure, Outcome, Setback, Settled};
use crate::runtime::policy::Policy;
use crate::runtime::unanswered::Unanswered;

/// The longest that a message is hidden. SQS ends every lease twelve hours after the receipt, and refuses what would go
/// beyond.
const LONGEST_WAIT: Duration = Duration::from_secs(11 * 3600);

/// The longest that a message may be sent to appear later: what SQS allows.
const LONGEST_DELAY: Duration = Duration::from_secs(900);

/// For how many leases a receive that was not answered explains a delivery that nobody saw. It comes again after one, and later
/// where others wait as well.
const UNANSWERED_FOR: u32 = 10;

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
    /// Deliveries of a message that are known to have cost no consumer.
    accounted: Attempts,
    /// Receives that brought no answer.
    unanswered: Unanswered,
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
            accounted: Attempts::default(),
            unanswered: Unanswered::default(),
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
                    self.account_for(message);
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
        self.account_for(message);
        self.deletions.add(message.receipt.clone()).await;
    }

    async fn retry(&self, message: &Message, class: &'static str, error: &anyhow::Error) {
        let failures = self.failures.add(first_id(message));
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
        let own = own.wait(self.outages.add(first_id(message)));
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
            return self.give_back(message, self.policy.retry.wait(self.outages.add(first_id(message)))).await;
        }
        self.notifier.notify(alert(self.stage, message, &failure)).await;
        self.delete(message).await;
        measures::buried(self.stage, failure.class);
    }

    /// A message that was just received, with what it has cost so far, and how it stands. It may have been the answer to a
    /// receive that brought none: that cost no consumer.
    pub fn account(&self, message: Message) -> (Message, Standing) {
        let unanswered = self.unanswered.within(self.policy.lease * UNANSWERED_FOR);
        let accounted = self.accounted.count(&message.id).saturating_add(unanswered);
        losses::account(message, accounted, self.policy.most_lost)
    }

    /// A receive did not bring an answer.
    pub fn receive_failed(&self) {
        self.unanswered.add();
    }

    /// This delivery costs no consumer, whatever comes of its message.
    pub fn account_for(&self, message: &Message) {
        self.accounted.add(&message.id);
    }

    /// Sends a message again that will be worked on alone.
    pub async fn give_last_chance(&self, message: &Message) {
        tracing::warn!(id = message.id, "it may have cost its consumers their lives: it will be worked on alone");
        self.give_back(message, Duration::ZERO).await;
    }

    /// Buries a message that cost too many consumers.
    pub async fn bury_killer(&self, message: &Message, lost: u32) {
        let words = format!(
            "it cost {lost} consumers their lease, their memory or their life; the last time, nothing else was in process"
        );
        self.bury(message, Failure::new("kills_its_consumer", words)).await;
    }

    /// Gives a message back for a later try: it is sent again, and deleted as it was received, so that no later consumer takes
    /// this delivery for one that was lost. A wait that is too long for that hides it, which may look like one loss.
    pub async fn give_back(&self, message: &Message, wait: Duration) {
        let is_long = wait > LONGEST_DELAY && losses::is_first_delivery(message);
        // Where nothing is deleted, each message that is sent again would be one more.
        if is_long || self.deletions.are_failing() || !self.send_again(message, wait.min(LONGEST_DELAY)).await {
            self.hide(message, wait).await;
        }
    }

    async fn send_again(&self, message: &Message, wait: Duration) -> bool {
        if let Err(error) = self.queue.send_after(&losses::again(message), wait).await {
            tracing::warn!(id = message.id, "not sent again: {error}");
            return false;
        }
        // At once, and not with others: until then there are two of it.
        self.account_for(message);
        self.deletions.delete_now(&message.receipt).await;
        true
    }

    /// Ends the lease after a wait; where even that fails, it ends by itself.
    async fn hide(&self, message: &Message, wait: Duration) {
        self.account_for(message);
        if let Err(error) = self.queue.extend(&message.receipt, wait.min(LONGEST_WAIT)).await {
            tracing::warn!(id = message.id, "not given back: {error}");
        }
    }
}
