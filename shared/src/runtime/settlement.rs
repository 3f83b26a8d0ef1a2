//! Settles messages after their work has ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::ports::notifier::Notifier;
use crate::ports::queue::{Message, Queue};
use crate::runtime::attempts::Attempts;
use crate::runtime::backoff::Backoff;
use crate::runtime::breaker::Breaker;
use crate::runtime::dead_letter::{alert, dead_letter};
use crate::runtime::deletions::Deletions;
use crate::runtime::evidence::Evidence;
use crate::runtime::losses::{self, Verdict, first_id};
use crate::runtime::measures;
use crate::runtime::outage_alert::{Lost, OutageAlert};
use crate::runtime::outcome::{Failure, Outcome, Setback, Settled};
use crate::runtime::policy::Policy;
use crate::runtime::unanswered::Unanswered;

/// The longest that a message is hidden. SQS ends every lease twelve hours after the receipt, and rejects longer
/// extensions.
const LONGEST_WAIT: Duration = Duration::from_secs(11 * 3600);

/// The longest delay of a message that is sent again; SQS allows no more.
const LONGEST_DELAY: Duration = Duration::from_secs(900);

/// For how many leases a receive without an answer explains a delivery that no consumer saw. The message is delivered
/// again after one lease, or later if other messages are waiting too.
const UNANSWERED_FOR: u32 = 10;

/// How often a message may find a dependency down that works for others in between, before the message is to blame.
/// Chance alone does not reach this: even if half of all tries fail, it gives up one message in a million.
const CONVINCING: u32 = 20;

/// Deletes, buries or gives back messages that were in flight.
pub struct Settlement {
    /// The name of the stage in logs and dead letters.
    pub stage: &'static str,
    /// The queue that messages are received from.
    pub queue: Arc<dyn Queue>,
    /// Concurrency, leases, retries and the stop.
    pub policy: Policy,
    /// Tracks outages of dependencies.
    pub breaker: Breaker,
    dead_letters: Arc<dyn Queue>,
    notifier: Arc<dyn Notifier>,
    deletions: Deletions,
    failures: Attempts,
    outages: Attempts,
    /// Deliveries of each message that are known to have cost no consumer.
    accounted: Attempts,
    /// Receives that got no answer.
    unanswered: Unanswered,
    evidence: Evidence,
    /// Alerts the owner when nothing is received.
    pub outage: OutageAlert,
    /// Alerts the owner when nothing can be moved to the dead-letter queue, and since when.
    burials: OutageAlert,
    unburied_since: Mutex<Option<Instant>>,
}

impl Settlement {
    /// A settlement for the messages of one queue.
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
            outage: OutageAlert::new(Lost::Receiving, stage, Arc::clone(&queue), Arc::clone(&notifier)),
            burials: OutageAlert::new(Lost::Burying, stage, Arc::clone(&queue), Arc::clone(&notifier)),
            unburied_since: Mutex::default(),
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

    /// Acts on the outcome of a message.
    pub async fn settle(&self, message: &Message, outcome: Outcome) {
        match outcome {
            Ok(Settled::Unseen(_)) => self.delete(message).await,
            Ok(Settled::Done | Settled::Superseded(_)) => {
                self.succeeded(message).await;
                self.delete(message).await;
            }
            // It says nothing about an outage: a message can be so broken that no dependency was used.
            Err(Setback::Permanent(failure)) => self.bury(message, failure).await,
            Err(Setback::Retry(error)) => self.retry(message, "gave_up", &error).await,
            Err(Setback::Unclear { class, error }) => self.handle_unclear(message, class, &error).await,
            Err(Setback::Down(error)) => self.handle_outage(message, &error).await,
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
        self.breaker.end();
        self.outage.resolve().await;
    }

    /// Handles a failure for which the message or a dependency may be to blame: while nothing succeeds, the failures of
    /// other messages decide.
    async fn handle_unclear(&self, message: &Message, class: &'static str, error: &anyhow::Error) {
        self.evidence.failed(first_id(message));
        if self.breaker.outage().is_some() || self.evidence.is_against_the_dependency() {
            return self.wait_for_what_is_down(message, error).await;
        }
        self.retry(message, class, error).await;
    }

    /// Handles an outage, unless only this message ever meets it.
    async fn handle_outage(&self, message: &Message, error: &anyhow::Error) {
        let alone = self.evidence.failed(first_id(message));
        if alone >= CONVINCING {
            let reason = format!("it failed {alone} times while others succeeded in between: {error:#}");
            return self.bury(message, Failure::new("gave_up", reason)).await;
        }
        self.wait_for_what_is_down(message, error).await;
    }

    async fn delete(&self, message: &Message) {
        let id = first_id(message);
        self.failures.settled(id);
        self.outages.settled(id);
        self.evidence.settled(id);
        // If it is delivered again because it was not deleted, this delivery is accounted for.
        self.account_for(message);
        self.deletions.add(message.receipt.clone()).await;
    }

    async fn retry(&self, message: &Message, class: &'static str, error: &anyhow::Error) {
        let failures = self.failures.add(first_id(message));
        if failures >= self.policy.attempts {
            let reason = format!("given up after {failures} failures: {error:#}");
            return self.bury(message, Failure::new(class, reason)).await;
        }
        let wait = self.policy.retry.wait(failures);
        tracing::warn!(id = message.id, attempt = message.receive_count, "{error:#}; trying again in {wait:.1?}");
        self.give_back(message, wait).await;
    }

    /// Gives back a message that met an outage. It waits longer each time: otherwise its tries alone would use up, in a
    /// long outage, the receives after which the queue itself moves it to the dead letters. The receive count is not
    /// the measure, because deliveries that cost a consumer were not outages and must not make it wait.
    async fn wait_for_what_is_down(&self, message: &Message, error: &anyhow::Error) {
        let what = format!("{error:#}");
        let wait = self.breaker.failed(&what);
        tracing::warn!(id = message.id, "{what}; receiving again in {wait:.1?}");
        let own = Backoff { first: self.policy.outage.first, most: self.policy.retry.most };
        let own = own.wait(self.outages.add(first_id(message)));
        // It waits for longer than nothing is received, so that the next try uses another message.
        self.give_back(message, own.max(wait * 2)).await;
        if let Some(outage) = self.breaker.outage() {
            self.outage.report(&outage.what, outage.since).await;
        }
    }

    /// Moves a message to the dead-letter queue. It is deleted here only after it was sent there and the owner was
    /// informed: a crash in between buries it twice instead of silently.
    async fn bury(&self, message: &Message, failure: Failure) {
        let letter = dead_letter(self.stage, message, &failure);
        if let Err(error) = self.dead_letters.send(&[letter]).await {
            tracing::warn!(id = message.id, "not moved to the dead-letter queue: {error}");
            let since = *self.unburied_since().get_or_insert_with(Instant::now);
            self.burials.report(&error.to_string(), since).await;
            return self.give_back(message, self.policy.retry.wait(self.outages.add(first_id(message)))).await;
        }
        self.end_trouble_with_burials().await;
        self.notifier.notify(alert(self.stage, message, &failure)).await;
        self.delete(message).await;
        measures::buried(self.stage, failure.class);
    }

    async fn end_trouble_with_burials(&self) {
        *self.unburied_since() = None;
        self.burials.resolve().await;
    }

    fn unburied_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.unburied_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges a message that was just received by the deliveries that are not accounted for. A receive that failed may
    /// have delivered the message without costing a consumer.
    pub fn assess(&self, message: Message) -> (Message, Verdict) {
        let unanswered = self.unanswered.within(self.policy.lease * UNANSWERED_FOR);
        let accounted = self.accounted.count(&message.id).saturating_add(unanswered);
        losses::assess(message, accounted, self.policy.most_lost)
    }

    /// Ends outages if the queue is empty. Another process has done the work that would show whether they are over, and
    /// nothing is left that they could delay.
    pub async fn received_nothing(&self) {
        let may_be_open = self.outage.may_be_open() || self.burials.may_be_open();
        let is_quiet = self.breaker.outage().is_none() && !may_be_open;
        if !is_quiet && self.queue.depth().await.is_ok_and(|depth| depth.is_empty()) {
            self.breaker.end();
            self.outage.resolve().await;
            self.end_trouble_with_burials().await;
        }
    }

    /// Records that a receive failed.
    pub fn receive_failed(&self) {
        self.unanswered.add();
    }

    /// Records that this delivery costs no consumer, whatever its outcome.
    pub fn account_for(&self, message: &Message) {
        self.accounted.add(&message.id);
    }

    /// Sends a message again, to be processed exclusively.
    pub async fn give_last_chance(&self, message: &Message) {
        tracing::warn!(id = message.id, "it may have killed its consumers: it will be processed exclusively");
        self.give_back(message, Duration::ZERO).await;
    }

    /// Buries a message that cost too many consumers.
    pub async fn bury_killer(&self, message: &Message, lost: u32) {
        let reason = format!(
            "it cost {lost} consumers their lease, their memory or their life; the last time, nothing else was in process"
        );
        self.bury(message, Failure::new("kills_its_consumer", reason)).await;
    }

    /// Gives a message back for a later try. The message is sent again and the received one is deleted, so that no
    /// consumer takes this delivery for one that was lost. If the wait is too long for that, a message at its first
    /// delivery is hidden instead, which may look like one loss.
    pub async fn give_back(&self, message: &Message, wait: Duration) {
        let is_long = wait > LONGEST_DELAY && losses::is_first_delivery(message);
        // While deletions fail, every message that is sent again would be a duplicate.
        if is_long || self.deletions.are_failing() || !self.send_again(message, wait.min(LONGEST_DELAY)).await {
            self.hide(message, wait).await;
        }
    }

    async fn send_again(&self, message: &Message, wait: Duration) -> bool {
        if let Err(error) = self.queue.send_after(&losses::resent(message), wait).await {
            tracing::warn!(id = message.id, "not sent again: {error}");
            return false;
        }
        // Deleted at once and not in a batch, because until then there are two copies of the message.
        self.account_for(message);
        self.deletions.delete_now(&message.receipt).await;
        true
    }

    /// Ends the lease after a wait. If that fails, it ends on its own.
    async fn hide(&self, message: &Message, wait: Duration) {
        self.account_for(message);
        if let Err(error) = self.queue.extend(&message.receipt, wait.min(LONGEST_WAIT)).await {
            tracing::warn!(id = message.id, "not given back: {error}");
        }
    }
}
