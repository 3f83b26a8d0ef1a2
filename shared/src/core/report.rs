//! The report on one cleaning: JSON beside the clean object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of this JSON's schema. A reader accepts the versions it knows.
pub const SCHEMA: u32 = 1;

/// Every decision on one raw object, counted. It has no time of its own: the same input gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of the cleaning rules.
    pub rules: u32,
    /// The instrument.
    pub symbol: String,
    /// The length of its candles.
    pub interval: String,
    /// The raw object.
    pub source: Source,
    /// What became of its rows.
    pub rows: Rows,
    /// The time of the first clean candle, as clean CSV writes it.
    pub first: Option<String>,
    /// The time of the last clean candle.
    pub last: Option<String>,
    /// Columns that nothing read.
    pub ignored_columns: Vec<String>,
}

/// Which object was cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Source {
    /// Its key.
    pub key: String,
    /// Its entity tag.
    pub etag: String,
    /// When the source said it, or the object was written: the *now* of the cleaning, in RFC 3339.
    pub as_of: String,
}

/// What became of the rows: `read = empty + collapsed + quarantined + kept`, and `written = kept + filled`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Rows {
    /// Rows below the header.
    pub read: u64,
    /// Rows with nothing in any cell.
    pub empty: u64,
    /// Rows that said the same as another one of the same time.
    pub collapsed: u64,
    /// Rows set aside, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Rows that became candles.
    pub kept: u64,
    /// Candles that cleaning put in.
    pub filled: u64,
    /// Candles in the clean object.
    pub written: u64,
}

impl Rows {
    /// Rows set aside, for whatever reason.
    #[must_use]
    pub fn quarantined_total(&self) -> u64 {
        self.quarantined.values().sum()
    }
}
