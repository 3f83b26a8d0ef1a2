//! Counts events of each message.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many messages are remembered. When there are more, all counts start over.
const MAX_MESSAGES: usize = 10_000;

/// Counts one kind of event for each message: failures, outages or deliveries.
///
/// The queue's receive count does not suffice: it includes deliveries that met an outage or came too early, which are
/// not failures of the message. The counts are lost when the process ends; a message is then tried a few more times.
#[derive(Debug, Default)]
pub struct Attempts {
    counts: Mutex<HashMap<String, u32>>,
}

impl Attempts {
    fn locked(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more event of a message, and returns its count.
    pub fn add(&self, id: &str) -> u32 {
        let mut counts = self.locked();
        if counts.len() >= MAX_MESSAGES {
            counts.clear();
        }
        let count = counts.entry(id.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// The number of events of a message.
    pub fn count(&self, id: &str) -> u32 {
        self.locked().get(id).copied().unwrap_or_default()
    }

    /// Forgets a message, which is settled and will not be delivered again.
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
        for id in 0..3 * MAX_MESSAGES {
            attempts.add(&id.to_string());
        }
        assert!(attempts.locked().len() <= MAX_MESSAGES);
    }
}
