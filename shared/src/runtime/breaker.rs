//! Stops receiving while something that every message needs is down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::runtime::backoff::Backoff;

/// Counts failures in a row of what the handler depends on, and says how much may be received meanwhile.
///
/// Without it an outage would burn the receive count of every message in the queue, and noise would fill the log.
#[derive(Debug)]
pub struct Breaker {
    backoff: Backoff,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    failures: u32,
    closed_until: Instant,
}

impl Breaker {
    /// A breaker that waits as long as `backoff` says after each failure in a row.
    #[must_use]
    pub fn new(backoff: Backoff) -> Self {
        Self { backoff, state: Mutex::new(State { failures: 0, closed_until: Instant::now() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was down. Returns how long nothing will be received.
    pub fn failed(&self) -> Duration {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        let wait = self.backoff.wait(state.failures);
        state.closed_until = state.closed_until.max(Instant::now() + wait);
        wait
    }

    /// Everything answered.
    pub fn succeeded(&self) {
        self.state().failures = 0;
    }

    /// How many messages may be in hand now: all slots, or one to try with after an outage; and from when on.
    #[must_use]
    pub fn allowance(&self, slots: usize) -> (Instant, usize) {
        let state = *self.state();
        (state.closed_until, if state.failures == 0 { slots } else { 1 })
    }
}
