//! Whether a service is ready, from what each of its parts last reported.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static OF_THIS_SERVICE: Health;
}

/// The state of a part of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It takes work, and its dependencies answered.
    Ready,
    /// It takes no work for this reason, and resumes without help.
    Waiting(String),
    /// It is stopping and finishes the work in flight.
    Stopping,
}

impl fmt::Display for Readiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => formatter.write_str("ready"),
            Self::Waiting(reason) => write!(formatter, "waiting: {reason}"),
            Self::Stopping => formatter.write_str("stopping"),
        }
    }
}

/// The health of a service, shared between its parts and the health server. A service is not ready before a part has
/// reported.
#[derive(Clone, Debug, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<&'static str, Readiness>>>,
}

impl Health {
    /// The health of the service that the current task belongs to; outside of a service, a health that nothing reads.
    #[must_use]
    pub fn of_this_service() -> Self {
        OF_THIS_SERVICE.try_with(Clone::clone).unwrap_or_default()
    }

    /// Runs work as part of the service with this health. Tasks that the work spawns do not belong to the service.
    pub async fn during<F: Future>(&self, work: F) -> F::Output {
        OF_THIS_SERVICE.scope(self.clone(), work).await
    }

    /// Sets the state of a part.
    pub fn report(&self, part: &'static str, state: Readiness) {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(part, state);
    }

    /// Whether all parts are ready, and a text with one line per part.
    #[must_use]
    pub fn readiness(&self) -> (bool, String) {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.is_empty() {
            return (false, "starting\n".to_owned());
        }
        let is_ready = parts.values().all(|state| *state == Readiness::Ready);
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
        health.report("raw", Readiness::Ready);
        assert!(health.readiness().0);
        health.report("alerts", Readiness::Waiting("it is down".to_owned()));
        assert_eq!(health.readiness(), (false, "alerts: waiting: it is down\nraw: ready\n".to_owned()));
    }

    #[tokio::test]
    async fn a_part_finds_the_health_of_its_own_service() {
        let health = Health::default();
        health.during(async { Health::of_this_service().report("inside", Readiness::Ready) }).await;
        Health::of_this_service().report("outside", Readiness::Stopping);
        assert_eq!(health.readiness(), (true, "inside: ready\n".to_owned()));
    }
}
