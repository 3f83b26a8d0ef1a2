//! The row that broke, as it stands in the object now.

use std::fmt;

use anyhow::anyhow;
use candlewick_shared::ports::store::ObjectStore;
use candlewick_transform::unpack;
use serde::Serialize;

use crate::dead_letters::DeadLetter;
use crate::place::Running;

/// How much of a row is shown.
const MOST_OF_A_ROW: usize = 500;

/// Where something is wrong in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spot {
    line: u64,
    column: Option<String>,
}

/// A line of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenRow {
    /// The object.
    pub key: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, where the reason names one.
    pub column: Option<String>,
    /// The line as it stands now; none where the object is gone, or has fewer lines.
    pub row: Option<String>,
    /// Whether the object was written again since the letter was, so that the row may be another one.
    pub written_since: bool,
}

/// The row that a letter's reason points at; none where it points at none.
///
/// # Errors
/// A store that does not answer, or a gzip that is none.
pub async fn find(running: &Running, letter: &DeadLetter) -> anyhow::Result<Option<BrokenRow>> {
    let Some((Spot { line, column }, key)) = spot(&letter.reason).zip(letter.keys.first()) else { return Ok(None) };
    let broken = BrokenRow { key: key.clone(), line, column, row: None, written_since: false };
    let Some(object) = running.aws.store(running.env.bucket()?).get(key).await? else { return Ok(Some(broken)) };
    let written_since = letter.sent.is_some_and(|sent| object.info.last_modified > sent);
    let text = unpack::read(object.body, unpack::MOST_OF_A_COMMAND);
    let text = text.map_err(|error| anyhow!(error.message))?;
    Ok(Some(BrokenRow { row: row(&text, line), written_since, ..broken }))
}

/// The place that a reason names: `line 3, column close: …`, `line 1: …`.
fn spot(reason: &str) -> Option<Spot> {
    let (_, behind) = reason.split_once("line ")?;
    let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let line = behind[..digits].parse().ok()?;
    let column = behind[digits..]
        .strip_prefix(", column ")
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned());
    Some(Spot { line, column })
}

fn row(text: &[u8], line: u64) -> Option<String> {
    let at = usize::try_from(line.checked_sub(1)?).ok()?;
    let row = text.split(|byte| *byte == b'\n').nth(at)?;
    let shown: String = String::from_utf8_lossy(row).trim_end().chars().take(MOST_OF_A_ROW).collect();
    Some(shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}

impl fmt::Display for BrokenRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default();
        writeln!(formatter, "{} line {}{column}:", self.key, self.line)?;
        match &self.row {
            Some(row) => writeln!(formatter, "  {row}")?,
            None => writeln!(formatter, "  there is no such line now")?,
        }
        if self.written_since {
            writeln!(formatter, "The object was written again since: `dlq redrive` tries the new one.")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_its_place() {
        let place = |line, column: Option<&str>| Some(Spot { line, column: column.map(str::to_owned) });
        for (reason, expected) in [
            ("transformed/a.csv: line 3, column close: not a number", place(3, Some("close"))),
            ("raw/a.csv: line 1: column \"close\" is missing", place(1, None)),
            ("raw/a.csv: line 1 is no header but \"x\"", place(1, None)),
            ("the file is empty", None),
            ("on line A", None),
        ] {
            assert_eq!(spot(reason), expected, "{reason}");
        }
    }

    #[test]
    fn a_row_is_that_line_of_the_text() {
        let text = b"date,open\r\n2024-12-27,1\n2024-12-30,\x01\n";
        assert_eq!(row(text, 1).as_deref(), Some("date,open"));
        assert_eq!(row(text, 3).as_deref(), Some("2024-12-30, "));
        assert_eq!((row(text, 0), row(text, 9)), (None, None));
    }
}
