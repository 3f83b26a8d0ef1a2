//! Where in `watchlist.toml` something stands: the line, and the field.

use std::fmt;

use toml::de::{DeTable, DeValue};

/// A place in a watchlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The field, from the outermost table inwards: `groups.stocks.symbols`. None where the text is no TOML, or where the
    /// place is no field's.
    pub field: Option<String>,
}

impl Place {
    /// The place of a byte of a text.
    #[must_use]
    pub fn at(text: &str, offset: usize) -> Self {
        let (table, _) = DeTable::parse_recoverable(text);
        Self { line: line_at(text, offset), field: field_at(table.get_ref(), offset).map(|path| path.join(".")) }
    }
}

/// The line of a byte of a text, from 1.
#[must_use]
pub fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The innermost field whose name or value has the byte.
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

/// A key as TOML writes it: `stocks`, `"BRK.B"`.
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
