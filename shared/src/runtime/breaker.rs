//! Stops receiving while something that every message needs is down.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::runtime::backoff::Backoff;

/// Tracks whether a dependency of the handlers is down, and how many tries in a row found it down.
///
/// Without it, an outage would use up the receive count of every message in the queue and flood the log.
#[derive(Debug)]
pub struct Breaker {
    backoff: Backoff,
    outage: watch::Sender<Option<Outage>>,
}

/// An outage of a dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The text of the first failure.
    pub what: Arc<str>,
    /// When the first failure was recorded.
    pub since: Instant,
    /// How many tries in a row found the dependency down.
    pub tries: u32,
    /// Nothing is received before this time. After it, one message at a time is tried.
    pub until: Instant,
}

impl Breaker {
    /// A breaker that waits as long as `backoff` says after each failure in a row.
    #[must_use]
    pub fn new(backoff: Backoff) -> Self {
        Self { backoff, outage: watch::Sender::new(None) }
    }

    /// Records that a dependency was down, with this text. Returns how long nothing will be received.
    ///
    /// Messages that were in flight together fail together: until the wait is over, their failures count as one.
    pub fn failed(&self, what: &str) -> Duration {
        let now = Instant::now();
        self.outage.send_if_modified(|outage| {
            let is_new = outage.as_ref().is_none_or(|outage| outage.until <= now);
            if is_new {
                *outage = Some(self.next(outage.take(), what, now));
            }
            is_new
        });
        self.outage.borrow().as_ref().map_or(Duration::ZERO, |outage| outage.until - now)
    }

    fn next(&self, outage: Option<Outage>, what: &str, now: Instant) -> Outage {
        let outage = outage.unwrap_or_else(|| Outage { what: what.into(), since: now, tries: 0, until: now });
        let tries = outage.tries.saturating_add(1);
        Outage { tries, until: now + self.backoff.wait(tries), ..outage }
    }

    /// Ends the outage: every dependency answered, or no work is left to try.
    pub fn end(&self) {
        self.outage.send_if_modified(|outage| outage.take().is_some());
    }

    /// The current outage, if any.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        self.outage.borrow().clone()
    }

    /// A channel with the current outage and every change of it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<Outage>> {
        self.outage.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(60) };

    fn tries(breaker: &Breaker) -> Option<u32> {
        breaker.outage().map(|outage| outage.tries)
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_fail_together_are_one_failure() {
        let breaker = Breaker::new(BACKOFF);
        let waits: Vec<_> = (0..16).map(|_| breaker.failed("refused")).collect();
        assert!(waits.iter().all(|wait| *wait == waits[0] && *wait <= BACKOFF.first), "{waits:?}");
        assert_eq!(tries(&breaker), Some(1));
        tokio::time::advance(BACKOFF.first).await;
        breaker.failed("refused");
        assert_eq!(tries(&breaker), Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_ends_the_outage_at_once() {
        let breaker = Breaker::new(BACKOFF);
        breaker.failed("refused");
        breaker.end();
        assert_eq!(tries(&breaker), None);
    }
}
