//! `[formats.NAME]`: forms of files that the files themselves do not tell, and which files have them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::core::form::{self, Column, Form, NoForm, Stamped};
use crate::core::key::RawKey;
use crate::core::symbol::Symbol;

/// A format as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileFormat {
    #[serde(default)]
    columns: BTreeMap<Column, String>,
    #[serde(default)]
    header: Vec<String>,
    date_format: Option<String>,
    timezone: Option<String>,
    decimal: Option<String>,
    delimiter: Option<String>,
    stamped: Option<Stamped>,
    #[serde(default)]
    symbols: Vec<Symbol>,
    keys: Option<String>,
}

/// A form, and the files that have it without being told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The form.
    pub form: Form,
    symbols: Vec<Symbol>,
    keys: Option<String>,
}

impl FileFormat {
    pub(super) fn resolve(self) -> Result<Format, NoForm> {
        let form = Form {
            columns: self.columns,
            header: self.header,
            date_format: self.date_format.as_deref().map(form::date_format).transpose()?,
            timezone: self.timezone.as_deref().map(form::timezone).transpose()?,
            decimal: self.decimal.as_deref().map(form::decimal).transpose()?,
            delimiter: self.delimiter.as_deref().map(form::delimiter).transpose()?,
            stamped: self.stamped,
        };
        Ok(Format { form, symbols: self.symbols, keys: self.keys })
    }
}

impl Format {
    /// Whether an object has this form because of its symbol or its key.
    #[must_use]
    pub fn is_of(&self, key: &RawKey) -> bool {
        let has_prefix = || self.keys.as_ref().is_some_and(|prefix| key.to_string().starts_with(prefix));
        self.symbols.contains(&key.path.series.symbol) || has_prefix()
    }
}
