//! Receives whose answers did not come.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many are remembered.
const MOST: usize = 1000;

/// When receives failed, the oldest first. The queue may have answered all the same, and count what it answered with as delivered.
#[derive(Debug, Default)]
pub struct Unanswered(Mutex<VecDeque<Instant>>);

impl Unanswered {
    /// A receive failed now.
    pub fn add(&self) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() >= MOST {
            times.pop_front();
        }
        times.push_back(Instant::now());
    }

    /// How many receives failed within so long. Those before are forgotten.
    pub fn within(&self, length: Duration) -> u32 {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.retain(|time| time.elapsed() <= length);
        u32::try_from(times.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_forgotten_in_the_end() {
        let unanswered = Unanswered::default();
        unanswered.add();
        tokio::time::advance(Duration::from_secs(6)).await;
        unanswered.add();
        assert_eq!(unanswered.within(Duration::from_secs(10)), 2);
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(unanswered.within(Duration::from_secs(10)), 1);
    }
}
