//! Decides whose failure an unclear error is, from what happened to other messages.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many messages are remembered. When more are failing, all are forgotten, and each has to be recorded again.
const MAX_MESSAGES: usize = 10_000;

/// How many messages must fail, with no success in between, before the dependency is to blame.
const ENOUGH: usize = 2;

/// Records which messages failed since something last succeeded.
#[derive(Debug, Default)]
pub struct Evidence {
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    /// How many messages have succeeded so far.
    successes: u64,
    /// The messages that failed since the last success, except those that are known to fail alone.
    failing: HashSet<String>,
    /// The history of each failing message.
    history: HashMap<String, History>,
}

#[derive(Debug, Default)]
struct History {
    /// How many messages had succeeded when it last failed.
    successes: u64,
    /// How often it failed after others had succeeded since its previous failure.
    alone: u32,
}

impl Evidence {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a message succeeded, so its dependencies work.
    pub fn succeeded(&self, id: &str) {
        let mut facts = self.facts();
        facts.successes += 1;
        facts.failing.clear();
        facts.history.remove(id);
    }

    /// Records that a message failed. Returns how often it failed alone, that is after others had succeeded since its
    /// previous failure.
    pub fn failed(&self, id: &str) -> u32 {
        let mut facts = self.facts();
        if facts.history.len() >= MAX_MESSAGES {
            facts.history.clear();
        }
        let successes = facts.successes;
        let is_new = !facts.history.contains_key(id);
        let history = facts.history.entry(id.to_owned()).or_default();
        if !is_new && history.successes < successes {
            history.alone += 1;
        }
        history.successes = successes;
        let alone = history.alone;
        if alone == 0 && facts.failing.len() < MAX_MESSAGES {
            facts.failing.insert(id.to_owned());
        }
        alone
    }

    /// Whether enough messages failed, with no success in between, that the dependency is to blame.
    #[must_use]
    pub fn is_against_the_dependency(&self) -> bool {
        self.facts().failing.len() >= ENOUGH
    }

    /// Forgets a message that will not be delivered again.
    pub fn settled(&self, id: &str) {
        self.facts().history.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_is_no_evidence_however_often_it_fails() {
        let evidence = Evidence::default();
        for _ in 0..20 {
            assert_eq!(evidence.failed("a"), 0);
        }
        assert!(!evidence.is_against_the_dependency());
    }

    #[test]
    fn two_messages_are_evidence_until_one_succeeds() {
        let evidence = Evidence::default();
        evidence.failed("a");
        evidence.failed("b");
        assert!(evidence.is_against_the_dependency());
        evidence.succeeded("c");
        assert!(!evidence.is_against_the_dependency());
    }

    #[test]
    fn messages_that_fail_while_others_succeed_are_no_evidence_again() {
        let evidence = Evidence::default();
        for id in ["a", "b", "c"] {
            evidence.failed(id);
        }
        evidence.succeeded("fine");
        assert_eq!(["a", "b", "c"].map(|id| evidence.failed(id)), [1, 1, 1]);
        assert!(!evidence.is_against_the_dependency());
        evidence.failed("d");
        evidence.failed("e");
        assert!(evidence.is_against_the_dependency(), "but others are");
    }

    #[test]
    fn it_cannot_grow_without_end() {
        let evidence = Evidence::default();
        for id in 0..3 * MAX_MESSAGES {
            evidence.failed(&id.to_string());
        }
        assert!(evidence.facts().history.len() <= MAX_MESSAGES && evidence.facts().failing.len() <= MAX_MESSAGES);
    }
}
