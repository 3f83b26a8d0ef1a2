//! A run: one refresh, from the message that asks for it to the last series that is loaded or failed.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The id, which is never reused.
    pub id: String,
    /// What caused the run.
    pub kind: RunKind,
    /// When the run was due or requested, by Candlewick's clock.
    pub requested_at: Timestamp,
    /// Whether the run covers the whole watchlist and not only some symbols.
    pub is_whole: bool,
}

/// The most characters of a run's id.
const MOST_OF_AN_ID: usize = 200;

/// The id of a run that somebody chose: up to 200 characters of `A-Z a-z 0-9 . _ : + = @ ~ -`, which need no escaping in
/// object metadata, and which the run ids of Airflow consist of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is not an id of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a run id: an id has 1 to {MOST_OF_AN_ID} characters of A-Z a-z 0-9 . _ : + = @ ~ -")]
pub struct BadRunId(String);

impl FromStr for RunId {
    type Err = BadRunId;

    fn from_str(text: &str) -> Result<Self, BadRunId> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:+=@~-".contains(&byte);
        if (1..=MOST_OF_AN_ID).contains(&text.len()) && text.bytes().all(is_allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadRunId(text.chars().take(MOST_OF_AN_ID).collect()))
    }
}

impl TryFrom<String> for RunId {
    type Error = BadRunId;

    fn try_from(text: String) -> Result<Self, BadRunId> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// What caused a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// The schedule was due.
    Scheduled,
    /// A person asked for it.
    Manual,
    /// The schedule was due while ingest was not running.
    CatchUp,
}

impl RunKind {
    /// Returns the name in the database, such as `catch_up`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Manual => "manual",
            Self::CatchUp => "catch_up",
        }
    }
}

impl fmt::Display for RunKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Returns the id of the run that was due at a time, such as `20241230T223000-scheduled`. All messages about the same
/// due time therefore ask for the same run.
#[must_use]
pub fn scheduled_id(due: Timestamp) -> String {
    due.strftime("%Y%m%dT%H%M%S-scheduled").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_ids_of_airflow_are_run_ids() {
        for id in ["manual__2024-12-30T22:00:00.123456+00:00", "scheduled__2024-12-30T00:00:00+00:00", "r", "a.b=c@d~e"]
        {
            assert_eq!(id.parse::<RunId>().unwrap().as_str(), id);
        }
        assert!("x".repeat(200).parse::<RunId>().is_ok());
    }

    #[test]
    fn what_could_mean_something_else_in_an_address_or_a_header_is_refused() {
        for id in ["", "a b", "a/b", "a\r\nx: y", "é", "a?b", "a%2Fb", "a#b", &"x".repeat(201)] {
            assert!(id.parse::<RunId>().is_err(), "{id:?}");
        }
    }
}
