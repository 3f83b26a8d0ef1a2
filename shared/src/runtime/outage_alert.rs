//! Alerts the owner to an outage and to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};
use tokio::time::Instant;

use crate::ports::notifier::{Alert, Kind, Notifier};
use crate::ports::queue::Queue;

/// How long an outage lasts before the owner is informed: a database that restarts needs no attention.
const TOLERANCE: Duration = Duration::from_secs(10);

/// Sends one alert when a stage has stopped receiving, and one when it receives again.
pub struct OutageAlert {
    stage: &'static str,
    queue: Arc<dyn Queue>,
    notifier: Arc<dyn Notifier>,
    /// Whether an alert may be open. It is true at first, because the previous process may have reported an outage and
    /// ended. Resolving an alert that is not open does nothing.
    may_be_open: AtomicBool,
}

impl OutageAlert {
    /// Alerts about the outages of one stage.
    #[must_use]
    pub fn new(stage: &'static str, queue: Arc<dyn Queue>, notifier: Arc<dyn Notifier>) -> Self {
        Self { stage, queue, notifier, may_be_open: AtomicBool::new(true) }
    }

    /// Starts a new outage, which has not been reported.
    pub fn begin(&self) {
        self.may_be_open.store(false, Ordering::Relaxed);
    }

    /// Reports an outage since `since`, if it has lasted long enough and was not reported before.
    pub async fn report(&self, what: &str, since: Instant) {
        let lasted = since.elapsed();
        if lasted < TOLERANCE || self.may_be_open.swap(true, Ordering::Relaxed) {
            return;
        }
        let waiting = match self.queue.depth().await {
            Ok(depth) => format!("{} messages are waiting", depth.waiting + depth.in_flight + depth.delayed),
            Err(_) => "the number of waiting messages is unknown".to_owned(),
        };
        let since = began(lasted).map_or_else(String::new, |time| format!(" since {time}"));
        let text = format!("{} receives nothing{since}: {what}; {waiting}", self.stage);
        self.notifier.notify(Alert::new(Kind::Outage, self.stage, text)).await;
    }

    /// Resolves the alert if one may be open.
    pub async fn resolve(&self) {
        if self.may_be_open.swap(false, Ordering::Relaxed) {
            let text = format!("{} receives again", self.stage);
            self.notifier.notify(Alert::new(Kind::Outage, self.stage, text).resolved()).await;
        }
    }
}

/// When the outage began, by the system clock, as logs have it.
fn began(lasted: Duration) -> Option<Timestamp> {
    let lasted = SignedDuration::try_from(lasted).ok()?;
    Timestamp::now().checked_sub(lasted).ok()?.round(Unit::Second).ok()
}
