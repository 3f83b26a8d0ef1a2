//! Whose failure it is where the error does not say: the evidence of what other messages met.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many messages are remembered. Where more are failing, all are forgotten, and each has to be shown again.
const MOST: usize = 10_000;

/// How many messages must meet a failure, with no success in between, before it is the dependency's.
const ENOUGH: usize = 2;

/// What messages met since something last succeeded.
#[derive(Debug, Default)]
pub struct Evidence {
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    /// How many messages succeeded so far.
    successes: u64,
    /// Those that failed since the last success, without any of which it is known that they alone fail.
    met: HashSet<String>,
    /// Of each message that failed: how many had succeeded by then, and how often one did between its failures.
    failed: HashMap<String, Failed>,
}

#[derive(Debug, Default)]
struct Failed {
    at: u64,
    alone: u32,
}

impl Evidence {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message succeeded: what it needs works.
    pub fn succeeded(&self, id: &str) {
        let mut facts = self.facts();
        facts.successes += 1;
        facts.met.clear();
        facts.failed.remove(id);
    }

    /// A message failed. Returns how often it did so alone: others succeeded since it failed before.
    pub fn failed(&self, id: &str) -> u32 {
        let mut facts = self.facts();
        if facts.failed.len() >= MOST {
            facts.failed.clear();
        }
        let successes = facts.successes;
        let is_new = !facts.failed.contains_key(id);
        let failed = facts.failed.entry(id.to_owned()).or_default();
        if !is_new && failed.at < successes {
            failed.alone += 1;
        }
        failed.at = successes;
        let alone = failed.alone;
        if alone == 0 && facts.met.len() < MOST {
            facts.met.insert(id.to_owned());
        }
        alone
    }

    /// Whether enough messages failed, and none succeeded meanwhile.
    #[must_use]
    pub fn is_against_the_dependency(&self) -> bool {
        self.facts().met.len() >= ENOUGH
    }

    /// A message will not come again.
    pub fn settled(&self, id: &str) {
        self.facts().failed.remove(id);
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
        for id in 0..3 * MOST {
            evidence.failed(&id.to_string());
        }
        assert!(evidence.facts().failed.len() <= MOST && evidence.facts().met.len() <= MOST);
    }
}
