//! Limits the log lines about refused requests and counts the suppressed ones, so that a flood does not fill the log.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// The number of lines per second, and in a burst.
const LINES_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
const LINES_AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// Decides which refusals are logged.
#[derive(Debug)]
pub struct Refusals {
    lines: DefaultDirectRateLimiter,
    silent: AtomicU64,
}

impl Default for Refusals {
    fn default() -> Self {
        let quota = Quota::per_second(LINES_PER_SECOND).allow_burst(LINES_AT_ONCE);
        Self { lines: RateLimiter::direct(quota), silent: AtomicU64::new(0) }
    }
}

impl Refusals {
    /// If this refusal is to be logged: how many were suppressed since the last logged one.
    pub fn next(&self) -> Option<u64> {
        if self.lines.check().is_ok() {
            return Some(self.silent.swap(0, Ordering::Relaxed));
        }
        self.silent.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_makes_a_few_lines() {
        let refusals = Refusals::default();
        let logged = (0..1_000).filter(|_| refusals.next().is_some()).count();
        assert!((20..30).contains(&logged), "{logged}");
        assert!(refusals.silent.load(Ordering::Relaxed) > 900);
    }
}
