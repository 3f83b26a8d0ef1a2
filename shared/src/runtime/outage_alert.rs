//! Tells the owner of an outage, and of its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};
use tokio::time::Instant;

use crate::ports::notifier::{Alert, Kind, Notifier};
use crate::ports::queue::Queue;

/// How long an outage lasts before the owner hears of it: a database that starts anew needs no owner.
const PATIENCE: Duration = Duration::from_secs(10);

/// Says that a stage stands still, once for each outage, and that it goes on again.
pub struct OutageAlert {
    stage: &'static str,
    queue: Arc<dyn Queue>,
    notifier: Arc<dyn Notifier>,
    /// Whether the owner may believe that there is an outage. A process begins with it: the one before may have told of an
    /// outage and be gone. To a notifier that knows of none, the end of one is no news.
    is_told: AtomicBool,
}

impl OutageAlert {
    /// What tells of the outages of one stage.
    #[must_use]
    pub fn new(stage: &'static str, queue: Arc<dyn Queue>, notifier: Arc<dyn Notifier>) -> Self {
        Self { stage, queue, notifier, is_told: AtomicBool::new(true) }
    }

    /// An outage began, and nothing is told of it yet.
    pub fn begins(&self) {
        self.is_told.store(false, Ordering::Relaxed);
    }

    /// An outage lasts since then.
    pub async fn lasts(&self, what: &str, since: Instant) {
        let lasted = since.elapsed();
        if lasted < PATIENCE || self.is_told.swap(true, Ordering::Relaxed) {
            return;
        }
        let waiting = match self.queue.depth().await {
            Ok(depth) => format!("{} messages wait", depth.waiting + depth.in_flight + depth.delayed),
            Err(_) => "nobody can say how many messages wait".to_owned(),
        };
        let since = began(lasted).map_or_else(String::new, |time| format!(" since {time}"));
        let text = format!("{} receives nothing{since}: {what}; {waiting}", self.stage);
        self.notifier.notify(Alert::new(Kind::Outage, self.stage, text)).await;
    }

    /// Something succeeded.
    pub async fn is_over(&self) {
        if self.is_told.swap(false, Ordering::Relaxed) {
            let text = format!("{} receives again", self.stage);
            self.notifier.notify(Alert::new(Kind::Outage, self.stage, text).resolved()).await;
        }
    }
}

/// By the machine's time, as logs have it.
fn began(lasted: Duration) -> Option<Timestamp> {
    let lasted = SignedDuration::try_from(lasted).ok()?;
    Timestamp::now().checked_sub(lasted).ok()?.round(Unit::Second).ok()
}
