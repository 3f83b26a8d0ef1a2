//! Sends alerts to the alerts queue, which the notifier reads.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use rand::Rng;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::adapters::log_notifier::LogNotifier;
use crate::core::alert::AlertEvent;
use crate::core::blame::Blame;
use crate::ports::clock::Now;
use crate::ports::notifier::{Alert, Notifier};
use crate::ports::queue::{NewMessage, Queue, QueueError};

/// How many alerts wait at most for a queue that does not answer. The others are only in the log.
const MOST_WAITING: usize = 1_000;

/// The first and the longest pause between two tries to send an alert. Each pause is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Sends each alert to a queue, and writes it to the log as well.
///
/// An alert that the queue does not take is sent again until it does, as long as the process lives: an alert about an
/// outage, or about its end, is raised while the queue may be down too.
#[derive(Clone)]
pub struct QueueNotifier {
    stage: &'static str,
    queue: Arc<dyn Queue>,
    now: Now,
    waiting: Arc<Semaphore>,
}

impl QueueNotifier {
    /// A notifier for the alerts of one service.
    #[must_use]
    pub fn new(stage: &'static str, queue: Arc<dyn Queue>, now: Now) -> Self {
        Self { stage, queue, now, waiting: Arc::new(Semaphore::new(MOST_WAITING)) }
    }

    fn message(&self, alert: Alert) -> anyhow::Result<NewMessage> {
        let id = event_id(self.stage, &alert);
        let at = (self.now)();
        let stage = self.stage.to_owned();
        let body = serde_json::to_string(&AlertEvent { id, at, stage, alert }).context("write an alert")?;
        Ok(NewMessage { body, ..NewMessage::default() })
    }

    /// Sends an alert. If the queue does not take it now, it is sent later.
    async fn send(&self, alert: Alert) -> anyhow::Result<()> {
        let message = self.message(alert)?;
        let Err(error) = self.queue.send(std::slice::from_ref(&message)).await else { return Ok(()) };
        let place = Arc::clone(&self.waiting).try_acquire_owned().ok().filter(|_| may_succeed(&error));
        let place = place.with_context(|| format!("send an alert: {error}"))?;
        tracing::warn!("an alert is not sent yet, and is sent again while this process runs: {error}");
        tokio::spawn(send_later(Arc::clone(&self.queue), message, place));
        Ok(())
    }
}

fn may_succeed(error: &QueueError) -> bool {
    !matches!(error.blame, Blame::Message(_))
}

/// Sends a message until the queue takes or refuses it, and gives its place back.
async fn send_later(queue: Arc<dyn Queue>, message: NewMessage, _place: OwnedSemaphorePermit) {
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        match queue.send(std::slice::from_ref(&message)).await {
            Ok(()) => return,
            Err(error) if may_succeed(&error) => pause = (pause * 2).min(LONGEST_PAUSE),
            Err(error) => return tracing::error!("this alert is refused, and the owner is not informed: {error}"),
        }
    }
}

/// An alert with a cause has the same id each time it is reported.
fn event_id(stage: &str, alert: &Alert) -> String {
    match &alert.cause {
        Some(cause) => format!("{stage} {} {} {} {cause}", alert.kind, alert.state.as_str(), alert.class),
        None => format!("{stage} {:032x}", rand::rng().random::<u128>()),
    }
}

#[async_trait]
impl Notifier for QueueNotifier {
    async fn notify(&self, alert: Alert) {
        LogNotifier.notify(alert.clone()).await;
        if let Err(error) = self.send(alert).await {
            tracing::error!("this alert was not sent, and the owner is not informed: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::adapters::memory_queue::MemoryQueue;
    use crate::core::alert::Kind;

    #[tokio::test]
    async fn an_alert_becomes_a_message_with_its_stage_and_time() {
        let queue = Arc::new(MemoryQueue::default());
        let at = "2024-12-30T22:00:00Z".parse().unwrap();
        let notifier = QueueNotifier::new("loader", queue.clone(), Arc::new(move || at));
        let alert = Alert::new(Kind::DeadLetter, "AAPL 1day", "line 3");
        notifier.notify(alert.clone().cause("message 1")).await;
        notifier.notify(alert.clone().cause("message 1")).await;
        notifier.notify(alert.clone()).await;
        let read = |body: &String| serde_json::from_str::<AlertEvent>(body).unwrap();
        let events: Vec<_> = queue.bodies().iter().map(read).collect();
        assert_eq!((events[0].stage.as_str(), events[0].at, &events[2].alert), ("loader", at, &alert));
        assert!(events[0].id == events[1].id && events[0].id != events[2].id, "{events:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_queue_does_not_take_is_sent_when_it_does_with_the_time_at_which_it_was_raised() {
        let queue = Arc::new(MemoryQueue::default());
        let began = tokio::time::Instant::now();
        let now = move || Timestamp::from_second(began.elapsed().as_secs().try_into().unwrap()).unwrap();
        let notifier = QueueNotifier::new("loader", queue.clone(), Arc::new(now));
        queue.set_fault(Some("down"));
        notifier.notify(Alert::new(Kind::Outage, "loader", "the queue does not answer")).await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        queue.set_fault(None);
        tokio::time::sleep(LONGEST_PAUSE).await;
        let bodies = queue.bodies();
        assert_eq!(bodies.len(), 1);
        assert_eq!(serde_json::from_str::<AlertEvent>(&bodies[0]).unwrap().at, Timestamp::UNIX_EPOCH);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_the_queue_is_bounded() {
        let queue = Arc::new(MemoryQueue::default());
        let notifier = QueueNotifier::new("loader", queue.clone(), Arc::new(|| Timestamp::UNIX_EPOCH));
        queue.set_fault(Some("down"));
        for _ in 0..2 * MOST_WAITING {
            notifier.notify(Alert::new(Kind::DeadLetter, "x", "y")).await;
        }
        queue.set_fault(None);
        tokio::time::sleep(LONGEST_PAUSE).await;
        assert_eq!(queue.bodies().len(), MOST_WAITING);
    }
}
