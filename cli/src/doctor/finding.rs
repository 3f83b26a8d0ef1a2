//! What `doctor` reports.

use std::fmt;

use serde::Serialize;

use super::deployed::{Seen, Unseen};

/// Something that is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in one word.
    pub check: &'static str,
    /// What it is about: a queue's role, the bucket, the database.
    pub subject: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub mend: String,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// What would have been looked at.
    pub check: &'static str,
    /// Why not.
    pub why: String,
}

/// What there is to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What could not be looked at.
    pub skipped: Vec<Skipped>,
}

/// What brings everything to what topology.json says.
pub const APPLY: &str = "`terraform apply`, or start `up` again on one's own machine";

impl Examined {
    /// Takes note of something wrong.
    pub fn find(&mut self, check: &'static str, subject: &str, problem: impl ToString, mend: impl ToString) {
        let problem = problem.to_string();
        let mend = mend.to_string();
        self.findings.push(Finding { check, subject: subject.to_owned(), problem, mend });
    }

    /// What was seen; what was not is a finding, of that check where it is absent.
    pub fn seen<'a, T>(&mut self, check: &'static str, subject: &str, what: &str, seen: &'a Seen<T>) -> Option<&'a T> {
        match seen {
            Ok(seen) => return Some(seen),
            Err(Unseen::Absent) => self.find(check, subject, format!("{what} does not exist"), APPLY),
            Err(Unseen::Denied(action)) => {
                let mend = format!("allow {action} to whoever runs this command");
                self.find("permission", subject, format!("{what} may not be looked at: {action} is denied"), mend);
            }
            Err(Unseen::Failed(reason)) => {
                self.find(
                    check,
                    subject,
                    format!("{what} does not answer as it should: {reason}"),
                    "see to its address",
                );
            }
        }
        None
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}\n    mend: {}", self.check, self.subject, self.problem, self.mend)
    }
}
