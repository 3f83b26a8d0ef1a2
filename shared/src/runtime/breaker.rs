//! Stops receiving while something that every message needs is down.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::runtime::backoff::Backoff;

/// Knows whether something that the handlers depend on is down, and since how many tries.
///
/// Without it an outage would burn the receive count of every message in the queue, and noise would fill the log.
#[derive(Debug)]
pub struct Breaker {
    backoff: Backoff,
    outage: watch::Sender<Option<Outage>>,
}

/// Something is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// How many tries in a row found it down.
    pub tries: u32,
    /// Until then nothing is received; from then on, one message to try with.
    pub until: Instant,
}

impl Breaker {
    /// A breaker that waits as long as `backoff` says after each failure in a row.
    #[must_use]
    pub fn new(backoff: Backoff) -> Self {
        Self { backoff, outage: watch::Sender::new(None) }
    }

    /// Something was down. Returns how long nothing will be received.
    ///
    /// Those who were in hand together fail together: until the wait is over they are one failure, not many.
    pub fn failed(&self) -> Duration {
        let now = Instant::now();
        self.outage.send_if_modified(|outage| {
            let is_news = outage.is_none_or(|outage| outage.until <= now);
            if is_news {
                *outage = Some(self.next(*outage, now));
            }
            is_news
        });
        self.outage.borrow().map_or(Duration::ZERO, |outage| outage.until - now)
    }

    fn next(&self, outage: Option<Outage>, now: Instant) -> Outage {
        let tries = outage.map_or(0, |outage| outage.tries).saturating_add(1);
        Outage { tries, until: now + self.backoff.wait(tries) }
    }

    /// Everything answered.
    pub fn succeeded(&self) {
        self.outage.send_if_modified(|outage| outage.take().is_some());
    }

    /// The outage, now and whenever that changes.
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
        breaker.watch().borrow().map(|outage| outage.tries)
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_fail_together_are_one_failure() {
        let breaker = Breaker::new(BACKOFF);
        let waits: Vec<_> = (0..16).map(|_| breaker.failed()).collect();
        assert!(waits.iter().all(|wait| *wait == waits[0] && *wait <= BACKOFF.first), "{waits:?}");
        assert_eq!(tries(&breaker), Some(1));
        tokio::time::advance(BACKOFF.first).await;
        breaker.failed();
        assert_eq!(tries(&breaker), Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_ends_the_outage_at_once() {
        let breaker = Breaker::new(BACKOFF);
        breaker.failed();
        breaker.succeeded();
        assert_eq!(tries(&breaker), None);
    }
}
