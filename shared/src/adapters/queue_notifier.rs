//! Sends alerts to the alerts queue, which the notifier reads.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use rand::Rng;

use crate::adapters::log_notifier::LogNotifier;
use crate::core::alert::AlertEvent;
use crate::ports::clock::Now;
use crate::ports::notifier::{Alert, Notifier};
use crate::ports::queue::{NewMessage, Queue};

/// Sends each alert to a queue, and writes it to the log as well.
#[derive(Clone)]
pub struct QueueNotifier {
    stage: &'static str,
    queue: Arc<dyn Queue>,
    now: Now,
}

impl QueueNotifier {
    /// A notifier for the alerts of one service.
    #[must_use]
    pub fn new(stage: &'static str, queue: Arc<dyn Queue>, now: Now) -> Self {
        Self { stage, queue, now }
    }

    async fn send(&self, alert: Alert) -> anyhow::Result<()> {
        let id = event_id(self.stage, &alert);
        let at = (self.now)();
        let stage = self.stage.to_owned();
        let body = serde_json::to_string(&AlertEvent { id, at, stage, alert }).context("write an alert")?;
        self.queue.send(&[NewMessage { body, ..NewMessage::default() }]).await.context("send an alert")
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
}
