//! Places in `watchlist.toml`, as a line and a field.

use std::fmt;

use toml::de::{DeTable, DeValue};

/// A place in a watchlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line number, starting at 1.
    pub line: usize,
    /// The path of the field, such as `groups.stocks.symbols`, or `None` if the text is not TOML or the place is
    /// outside of fields.
    pub field: Option<String>,
}

impl Place {
    /// Finds the place of a byte offset in a text.
    #[must_use]
    pub fn at(text: &str, offset: usize) -> Self {
        let (table, _) = DeTable::parse_recoverable(text);
        Self { line: line_at(text, offset), field: field_at(table.get_ref(), offset).map(|path| path.join(".")) }
    }
}

/// Returns the line number of a byte offset in a text, starting at 1.
#[must_use]
pub fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The path of the innermost field whose name or value contains the byte offset.
fn field_at(table: &DeTable<'_>, offset: usize) -> Option<Vec<String>> {
    table.iter().find_map(|(name, value)| {
        let inner = match value.get_ref() {
            DeValue::Table(inner) => field_at(inner, offset),
            _ => None,
        };
        let here = || (name.span().contains(&offset) || value.span().contains(&offset)).then(Vec::new);
        inner.or_else(here).map(|mut path| {
            path.insert(0, quoted(name.get_ref()));
            path
        })
    })
}

/// Formats a key as in TOML: `stocks`, `"BRK.B"`.
fn quoted(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { format!("{name:?}") }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}", self.line)?;
        self.field.as_ref().map_or(Ok(()), |field| write!(formatter, ", {field}"))
    }
}
