//! The report on one cleaning: JSON beside the clean object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of this JSON's schema. A reader accepts the versions it knows.
pub const SCHEMA: u32 = 1;

/// Every decision on one raw object, counted. It has no time of its own: the same input gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
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
    /// The calendar that its slots were held to.
    pub calendar: CalendarUsed,
    /// The longest run of vacant slots that is filled.
    pub max_fill: u32,
    /// What became of its rows.
    pub rows: Rows,
    /// How much of the object cleaning touched, and whether that is more than its owner allows.
    pub touched: Touched,
    /// The time of the first clean candle, as clean CSV writes it.
    pub first: Option<String>,
    /// The time of the last clean candle.
    pub last: Option<String>,
    /// Every run of slots for which the object had no candle, filled or not.
    pub gaps: Vec<Gap>,
    /// Columns that nothing read.
    pub ignored_columns: Vec<String>,
    /// Which day of a week or a month the source stamps its candles with, where it is not the first: `the last session`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<String>,
    /// How the file was read, where it was not raw CSV as it is: `MetaTrader 5, separated by tabs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
}

/// Which calendar an object was held to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct CalendarUsed {
    /// Its code; none where no calendar is known, so that nothing was held to it and nothing filled.
    pub code: Option<String>,
    /// What its sessions come from, and how far they reach.
    pub version: Option<String>,
    /// Why this one, or why none.
    pub reason: String,
    /// The calendar's own words where there are candles of dates that it does not cover; those were not held to it.
    pub horizon: Option<String>,
}

/// A run of slots that followed each other and had no candle.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Gap {
    /// The time of the first slot, as clean CSV writes it.
    pub first: String,
    /// The time of the last slot.
    pub last: String,
    /// How many slots there are from the first to the last.
    pub slots: u64,
    /// What became of them.
    pub fate: Fate,
}

/// Whether a gap was filled, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Every slot has the close before it.
    Filled,
    /// It is longer than `max_fill`.
    TooLong,
    /// It lies before the object's first real candle or behind its last one.
    Edge,
    /// It reaches to dates that the calendar does not cover, so that its length is not known.
    Horizon,
    /// The source said something of a slot in it, which was quarantined.
    Quarantined,
    /// The object is the result of an earlier cleaning, which left it vacant.
    LeftVacant,
}

/// How much of an object cleaning touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Touched {
    /// Rows set aside, of all rows that were not empty.
    pub quarantined: Measured,
    /// Candles put in, of all candles written.
    pub filled: Measured,
}

/// A share beside the one that the owner allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Measured {
    /// The share, from 0 to 1.
    pub share: f64,
    /// The largest share that is allowed.
    pub threshold: f64,
    /// Whether the share is larger than that.
    pub passed: bool,
}

impl Touched {
    /// Each share: the class of the alert where it is too large, in words what was done, and what was measured.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, Measured)> {
        [("quarantined", "set aside", self.quarantined), ("filled", "filled", self.filled)].into_iter()
    }

    /// Whether the object needs somebody's eyes.
    #[must_use]
    pub fn threshold_passed(&self) -> bool {
        self.quarantined.passed || self.filled.passed
    }
}

impl Measured {
    /// `part` of `whole` against what is allowed; nothing of nothing is no share.
    #[must_use]
    pub fn new(part: u64, whole: u64, threshold: f64) -> Self {
        let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        Self { share, threshold, passed: share > threshold }
    }
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
    /// How that time is known.
    #[serde(default)]
    pub as_of_from: AsOfFrom,
}

/// How it is known when a source said something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AsOfFrom {
    /// It was said: beside the object as `fetched-at`, or on the command line.
    #[default]
    Said,
    /// It is when the object was written.
    Written,
    /// It is when the object was written, taken from the machine's clock to Candlewick's, which is a simulated one.
    WrittenSimulated,
}

/// What became of the rows. Every one of them is in exactly one count:
/// `read = empty + provisional + refilled + refilled_kept + collapsed + quarantined + kept`, and
/// `written = kept + refilled_kept + filled`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Rows {
    /// Rows below the header.
    pub read: u64,
    /// Rows with nothing in any cell.
    pub empty: u64,
    /// Rows of slots that were still open: what they say was to change.
    pub provisional: u64,
    /// Rows that an earlier cleaning had put in. They are no candles of the source: their slots count as vacant, and are
    /// filled anew where the rules say so.
    pub refilled: u64,
    /// Rows that an earlier cleaning had put in and that stay, because no calendar tells which slots are vacant.
    #[serde(default)]
    pub refilled_kept: u64,
    /// Rows that said the same as another one of the same time.
    pub collapsed: u64,
    /// Rows set aside, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Rows that became candles.
    pub kept: u64,
    /// Those of them that no calendar was asked about, because none is known or none reaches so far.
    pub unchecked: u64,
    /// Rows whose low or high was moved to take in the open and the close, which lay outside by the rounding of binary floats.
    #[serde(default)]
    pub widened: u64,
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

    /// Rows of which it is known what became of them: all of them, or a count is wrong.
    #[must_use]
    pub fn accounted_for(&self) -> u64 {
        let dropped = self.empty + self.provisional + self.refilled + self.collapsed + self.quarantined_total();
        dropped + self.refilled_kept + self.kept
    }
}
