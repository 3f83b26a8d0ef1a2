//! Errors of files that are not raw CSV.

use thiserror::Error;

use super::file_kind::FileKind;

/// Why an object is not raw CSV. Individual bad rows are not an error: they are quarantined.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unreadable {
    /// The file is empty or has only white space.
    #[error("the file is empty: a header is required ({EXPECTED})")]
    Empty,
    /// The file is of another kind.
    #[error("the file is {kind}, not CSV: {advice}", advice = .kind.advice())]
    OtherKind {
        /// The kind that its first bytes show.
        kind: FileKind,
    },
    /// The file is JSON, perhaps a response of the API.
    #[error("the file is JSON, not CSV: {0}")]
    Json(String),
    /// The first line has none of the expected column names.
    #[error("line 1 is not a header: {found:?}. A header is required ({EXPECTED})")]
    NoHeader {
        /// The line, shortened by [`shown`].
        found: String,
    },
    /// The quotes of the header are not balanced.
    #[error("line 1: {reason}: {found:?}")]
    BrokenHeader {
        /// What is wrong with the quotes.
        reason: String,
        /// The header, shortened by [`shown`].
        found: String,
    },
    /// A required column is missing from the header.
    #[error("line 1: column {missing:?} is missing from the header {found:?} ({EXPECTED})")]
    MissingColumn {
        /// The name of the missing column.
        missing: &'static str,
        /// The header, shortened by [`shown`].
        found: String,
    },
    /// The header lacks a column that the file's format names.
    #[error(
        "the format says that the {column} is in column {wanted:?}, and the header has no such column: it has {found}"
    )]
    MissingNamed {
        /// The role of the column.
        column: &'static str,
        /// The name in the format.
        wanted: String,
        /// The names of all columns.
        found: String,
    },
    /// Two columns of the header match the same role.
    #[error("line 1: columns {names} could each be the {column:?}: rename or remove all but one")]
    AmbiguousColumn {
        /// The role that both match.
        column: &'static str,
        /// Their positions, from 1, and their names: `2 "close" and 5 "Close"`.
        names: String,
    },
    /// The header has no volume column with a known name, but a column that could be one.
    #[error(
        "line 1: column {0:?} could be the volume: rename it to \"volume\" if it is, or to a name without \"vol\" if it is not"
    )]
    UnclearVolume(String),
}

const EXPECTED: &str = "datetime, open, high, low, close and perhaps volume, separated by ',' or ';'";

/// Prepares text of a file for a message: at most 200 characters, without control characters.
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
