//! Remembers receives that failed.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many receives are remembered.
const MAX_RECEIVES: usize = 1000;

/// The times of failed receives, the oldest first. The queue may have answered nevertheless, and counts the messages of
/// such an answer as delivered.
#[derive(Debug, Default)]
pub struct Unanswered(Mutex<VecDeque<Instant>>);

impl Unanswered {
    /// Records that a receive failed now.
    pub fn add(&self) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() >= MAX_RECEIVES {
            times.pop_front();
        }
        times.push_back(Instant::now());
    }

    /// The number of receives that failed within the last `length`. Earlier ones are forgotten.
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
