//! How long to wait before the next try.

use std::time::Duration;

use crate::runtime::chance;

/// A wait that doubles with each try up to a limit, with jitter so that tasks that failed together do not retry
/// together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first try.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
}

impl Backoff {
    /// The wait after try number `attempt` (from 1), before jitter.
    #[must_use]
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(30);
        self.first.saturating_mul(1 << doublings).min(self.most)
    }

    /// The wait after try number `attempt`: between half the ceiling and the ceiling.
    #[must_use]
    pub fn wait(&self, attempt: u32) -> Duration {
        self.ceiling(attempt).mul_f64(0.5 + chance::share() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(60) };

    #[test]
    fn it_doubles_up_to_its_limit() {
        let ceilings = [1, 2, 3, 6, u32::MAX].map(|attempt| BACKOFF.ceiling(attempt).as_secs());
        assert_eq!(ceilings, [2, 4, 8, 60, 60]);
    }

    #[test]
    fn jitter_stays_between_half_and_whole() {
        for attempt in 1..100 {
            let wait = BACKOFF.wait(attempt);
            let ceiling = BACKOFF.ceiling(attempt);
            assert!(wait >= ceiling / 2 && wait <= ceiling);
        }
    }
}
