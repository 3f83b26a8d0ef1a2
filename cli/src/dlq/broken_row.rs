//! Finds the row that a dead letter blames, as the object contains it now.

use std::fmt;

use anyhow::anyhow;
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::reads::dead_letters::DeadLetter;
use candlewick_transform::unpack;
use serde::Serialize;

use crate::place::Deployment;

/// The most characters of a row that are shown.
const MOST_OF_A_ROW: usize = 500;

/// The position of an error in an object, as a reason names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spot {
    line: u64,
    column: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenRow {
    pub key: String,
    /// Counted from 1.
    pub line: u64,
    pub column: Option<String>,
    /// The current text of the line; `None` if the object is gone or has fewer lines.
    pub row: Option<String>,
    /// Whether the object was written after the letter, so that the row may be a different one.
    pub written_since: bool,
}

/// Reads the row that a letter's reason names; `None` if it names none.
pub async fn find(deployment: &Deployment, letter: &DeadLetter) -> anyhow::Result<Option<BrokenRow>> {
    let Some((Spot { line, column }, key)) = spot(&letter.reason).zip(letter.keys.first()) else { return Ok(None) };
    let broken = BrokenRow { key: key.clone(), line, column, row: None, written_since: false };
    let Some(object) = deployment.aws.store(deployment.env.bucket()?).get(key).await? else { return Ok(Some(broken)) };
    let written_since = letter.sent.is_some_and(|sent| object.info.last_modified > sent);
    let text = unpack::read(object.body, unpack::MOST_OF_A_COMMAND);
    let text = text.map_err(|error| anyhow!(error.message))?;
    Ok(Some(BrokenRow { row: row(&text, line), written_since, ..broken }))
}

/// Parses the position from a reason such as `line 3, column close: …` or `line 1: …`.
fn spot(reason: &str) -> Option<Spot> {
    let (_, rest) = reason.split_once("line ")?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let line = rest[..digits].parse().ok()?;
    let column = rest[digits..]
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
            None => writeln!(formatter, "  this line no longer exists")?,
        }
        if self.written_since {
            writeln!(
                formatter,
                "The object was written again after this letter: `dlq redrive` processes the new version."
            )?;
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
