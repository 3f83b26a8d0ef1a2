//! Alerts the owner to an outage and to its end.

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};
use tokio::time::Instant;

use crate::ports::notifier::{Alert, Kind, Notifier};
use crate::ports::queue::Queue;

/// How long an outage lasts before the owner is informed: a database that restarts needs no attention.
const TOLERANCE: Duration = Duration::from_secs(10);

/// How often the alert is raised again while the outage lasts. Another process of the same service may have resolved it,
/// because it was not affected or has recovered sooner; and the number of waiting messages has changed.
const REPEAT: Duration = Duration::from_secs(15 * 60);

/// What a stage cannot do during an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Receive messages.
    Receiving,
    /// Move messages to the dead-letter queue.
    Burying,
}

impl Lost {
    /// What the alert is about. A stage has one alert for each.
    fn subject(self, stage: &str) -> String {
        match self {
            Self::Receiving => stage.to_owned(),
            Self::Burying => format!("{stage} dead letters"),
        }
    }

    fn begun(self) -> &'static str {
        match self {
            Self::Receiving => "receives nothing",
            Self::Burying => "moves nothing to its dead-letter queue, and tries what belongs there again",
        }
    }

    fn over(self) -> &'static str {
        match self {
            Self::Receiving => "receives again",
            Self::Burying => "moves messages to its dead-letter queue again",
        }
    }
}

/// Raises an alert when a stage has lost something for a while, and resolves it when that works again.
pub struct OutageAlert {
    lost: Lost,
    stage: &'static str,
    queue: Arc<dyn Queue>,
    notifier: Arc<dyn Notifier>,
    known: Mutex<Known>,
}

/// What is known about the alert of this stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Nothing. The previous process may have raised it and ended. Resolving an alert that is not open does nothing.
    Nothing,
    /// It was raised at this time by this process, and not resolved by it since.
    Raised(Instant),
    /// It is not open.
    Over,
}

impl OutageAlert {
    /// Alerts about the outages of one stage.
    #[must_use]
    pub fn new(lost: Lost, stage: &'static str, queue: Arc<dyn Queue>, notifier: Arc<dyn Notifier>) -> Self {
        Self { lost, stage, queue, notifier, known: Mutex::new(Known::Nothing) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the alert is raised, unless it was raised a short time ago.
    fn raise(&self) -> bool {
        let mut known = self.known();
        let is_recent = matches!(*known, Known::Raised(at) if at.elapsed() < REPEAT);
        if !is_recent {
            *known = Known::Raised(Instant::now());
        }
        !is_recent
    }

    /// Reports an outage since `since`, if it has lasted long enough and was not reported a short time ago.
    pub async fn report(&self, what: &str, since: Instant) {
        let lasted = since.elapsed();
        if lasted < TOLERANCE || !self.raise() {
            return;
        }
        let waiting = match self.queue.depth().await {
            Ok(depth) => format!("{} messages are waiting", depth.waiting + depth.in_flight + depth.delayed),
            Err(_) => "the number of waiting messages is unknown".to_owned(),
        };
        let since = began(lasted).map_or_else(String::new, |time| format!(" since {time}"));
        self.notifier.notify(self.alert(format!("{}{since}: {what}; {waiting}", self.lost.begun()))).await;
        // A message may have succeeded in the meantime, and its end of the outage may be older than this alert.
        *self.known() = Known::Raised(Instant::now());
    }

    /// Whether the alert may be open, because of this process or of the previous one.
    pub fn may_be_open(&self) -> bool {
        *self.known() != Known::Over
    }

    /// Resolves the alert if one may be open.
    pub async fn resolve(&self) {
        let before = std::mem::replace(&mut *self.known(), Known::Over);
        if before != Known::Over {
            self.notifier.notify(self.alert(self.lost.over()).resolved()).await;
        }
    }

    fn alert(&self, predicate: impl Display) -> Alert {
        Alert::new(Kind::Outage, self.lost.subject(self.stage), format!("{} {predicate}", self.stage))
    }
}

/// When the outage began, by the system clock, as logs have it.
fn began(lasted: Duration) -> Option<Timestamp> {
    let lasted = SignedDuration::try_from(lasted).ok()?;
    Timestamp::now().checked_sub(lasted).ok()?.round(Unit::Second).ok()
}
