//! How often something happened to each message.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many messages are remembered. Where there are more, all are forgotten, and each begins anew.
const MOST: usize = 10_000;

/// Counts, message by message: failures, outages, deliveries.
///
/// The queue's receive count would not do: it also counts the deliveries that met an outage or came too early, and those
/// are nobody's failure. What is counted is lost when the process ends; then a message is tried a few times more.
#[derive(Debug, Default)]
pub struct Attempts {
    counts: Mutex<HashMap<String, u32>>,
}

impl Attempts {
    fn locked(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It happened to a message once more. Returns how often it did.
    pub fn add(&self, id: &str) -> u32 {
        let mut counts = self.locked();
        if counts.len() >= MOST {
            counts.clear();
        }
        let count = counts.entry(id.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// How often it happened to a message.
    pub fn count(&self, id: &str) -> u32 {
        self.locked().get(id).copied().unwrap_or_default()
    }

    /// A message is settled, and will not come again.
    pub fn settled(&self, id: &str) {
        self.locked().remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_counted_alone_and_forgotten_when_it_is_settled() {
        let attempts = Attempts::default();
        assert_eq!([attempts.add("a"), attempts.add("a"), attempts.add("b")], [1, 2, 1]);
        attempts.settled("a");
        assert_eq!(attempts.add("a"), 1);
    }

    #[test]
    fn it_cannot_grow_without_end() {
        let attempts = Attempts::default();
        for id in 0..3 * MOST {
            attempts.add(&id.to_string());
        }
        assert!(attempts.locked().len() <= MOST);
    }
}
