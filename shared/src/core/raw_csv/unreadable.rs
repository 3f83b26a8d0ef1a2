//! Why an object is no raw CSV at all.

use thiserror::Error;

use super::file_kind::FileKind;

/// Why an object is no raw CSV at all; rows that are wrong one by one are not errors but quarantined.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unreadable {
    /// There is nothing in it.
    #[error("the file is empty: a header is required ({EXPECTED})")]
    Empty,
    /// It is a file of another kind.
    #[error("the file is {kind}, not CSV: {advice}", advice = .kind.advice())]
    OtherKind {
        /// What it is.
        kind: FileKind,
    },
    /// It is an answer of the API, or any other JSON.
    #[error("the file is JSON, not CSV: {0}")]
    Json(String),
    /// The first line has none of the columns' names.
    #[error("line 1 is not a header: {found:?}. A header is required ({EXPECTED})")]
    NoHeader {
        /// The line as it is, shortened.
        found: String,
    },
    /// The quotes of the header do not fit.
    #[error("line 1: {reason}: {found:?}")]
    BrokenHeader {
        /// What is wrong with it.
        reason: String,
        /// The header as it is, shortened.
        found: String,
    },
    /// The header lacks a column.
    #[error("line 1: column {missing:?} is missing from the header {found:?} ({EXPECTED})")]
    MissingColumn {
        /// The column's name.
        missing: &'static str,
        /// The header as it is, shortened.
        found: String,
    },
    /// Two columns of the header could be the same one.
    #[error("line 1: columns {names} could each be the {column:?}: rename or remove all but one")]
    AmbiguousColumn {
        /// What both could be.
        column: &'static str,
        /// Their places, from 1, and their names: `2 "close" and 5 "Close"`.
        names: String,
    },
    /// There is no volume column of a name that is known, but one that could be it.
    #[error(
        "line 1: column {0:?} could be the volume: rename it to \"volume\" if it is, or to a name without \"vol\" if it is not"
    )]
    UnclearVolume(String),
}

const EXPECTED: &str = "datetime, open, high, low, close and perhaps volume, separated by ',' or ';'";

/// Text as it is in a file, for a message: at most 200 characters, and no control characters.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(bytes);
    let mut shown: String = text.trim().chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
