//! What `doctor` reports.

use std::fmt;

use serde::Serialize;

use super::snapshot::{InspectError, Inspected};

/// Something that is wrong, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The name of the check, in one word.
    pub check: &'static str,
    /// A queue's role, the bucket's name, or the database.
    pub subject: String,
    pub problem: String,
    /// How to fix it.
    pub mend: String,
}

/// A check that was not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    pub check: &'static str,
    pub why: String,
}

/// The result of all checks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Examined {
    pub findings: Vec<Finding>,
    pub skipped: Vec<Skipped>,
}

/// The fix for whatever differs from topology.json.
pub const APPLY: &str = "run `terraform apply`, or start `up` again on your own machine";

impl Examined {
    pub fn find(&mut self, check: &'static str, subject: &str, problem: impl ToString, mend: impl ToString) {
        let problem = problem.to_string();
        let mend = mend.to_string();
        self.findings.push(Finding { check, subject: subject.to_owned(), problem, mend });
    }

    /// Returns the value, or adds a finding about why it could not be read.
    pub fn require<'a, T>(
        &mut self,
        check: &'static str,
        subject: &str,
        what: &str,
        inspected: &'a Inspected<T>,
    ) -> Option<&'a T> {
        match inspected {
            Ok(value) => return Some(value),
            Err(InspectError::Absent) => self.find(check, subject, format!("{what} does not exist"), APPLY),
            Err(InspectError::Denied(action)) => {
                let mend = format!("allow {action} to the user or role that runs this command");
                self.find("permission", subject, format!("{what} cannot be read: {action} is denied"), mend);
            }
            Err(InspectError::Failed(reason)) => {
                self.find(
                    check,
                    subject,
                    format!("{what} cannot be read: {reason}"),
                    "check its address and that it can be reached",
                );
            }
        }
        None
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}\n    fix: {}", self.check, self.subject, self.problem, self.mend)
    }
}
