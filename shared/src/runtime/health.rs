//! Whether a service is ready: what each of its parts last said of itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static OF_THIS_SERVICE: Health;
}

/// How a part of a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// What it depends on answered, and it takes work.
    Ready,
    /// It takes no work for this reason, and goes on by itself when that is over.
    Waiting(String),
    /// It was told to stop, and finishes what it has in hand.
    Stopping,
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => formatter.write_str("ready"),
            Self::Waiting(reason) => write!(formatter, "waiting: {reason}"),
            Self::Stopping => formatter.write_str("stopping"),
        }
    }
}

/// The health of a service, shared between its parts and whoever tells it. Nothing is ready before a part has said so.
#[derive(Clone, Debug, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<&'static str, State>>>,
}

impl Health {
    /// The health of the service that the current task belongs to; outside of any, one that nobody asks.
    #[must_use]
    pub fn of_this_service() -> Self {
        OF_THIS_SERVICE.try_with(Clone::clone).unwrap_or_default()
    }

    /// Does work as part of the service whose health this is. What the work spawns does not belong to it.
    pub async fn during<F: Future>(&self, work: F) -> F::Output {
        OF_THIS_SERVICE.scope(self.clone(), work).await
    }

    /// Says how a part is.
    pub fn report(&self, part: &'static str, state: State) {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(part, state);
    }

    /// Whether all parts are ready, and how each is: a line a part.
    #[must_use]
    pub fn readiness(&self) -> (bool, String) {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.is_empty() {
            return (false, "starting\n".to_owned());
        }
        let is_ready = parts.values().all(|state| *state == State::Ready);
        (is_ready, parts.iter().map(|(part, state)| format!("{part}: {state}\n")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_ready_when_all_its_parts_are() {
        let health = Health::default();
        assert_eq!(health.readiness(), (false, "starting\n".to_owned()));
        health.report("raw", State::Ready);
        assert!(health.readiness().0);
        health.report("alerts", State::Waiting("it is down".to_owned()));
        assert_eq!(health.readiness(), (false, "alerts: waiting: it is down\nraw: ready\n".to_owned()));
    }

    #[tokio::test]
    async fn a_part_finds_the_health_of_its_own_service() {
        let health = Health::default();
        health.during(async { Health::of_this_service().report("inside", State::Ready) }).await;
        Health::of_this_service().report("outside", State::Stopping);
        assert_eq!(health.readiness(), (true, "inside: ready\n".to_owned()));
    }
}
