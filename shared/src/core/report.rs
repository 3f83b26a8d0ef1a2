//! The report on one cleaning, a JSON object stored under `reports/`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The schema version of the JSON. A reader accepts the versions that it knows.
pub const SCHEMA: u32 = 1;

/// Every decision on one raw object, counted. It has no creation time, so the same input gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Report {
    /// The schema version, [`SCHEMA`].
    pub schema: u32,
    /// The version of the cleaning rules.
    pub rules: u32,
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// The raw object.
    pub source: Source,
    /// The calendar that the candles were checked against.
    pub calendar: CalendarUsed,
    /// The maximum number of consecutive vacant slots that are filled.
    pub max_fill: u32,
    /// The counts of the rows.
    pub rows: Rows,
    /// The shares of quarantined rows and filled candles, and whether they exceed the owner's thresholds.
    pub touched: Touched,
    /// The time of the first clean candle, formatted as in clean CSV.
    pub first: Option<String>,
    /// The time of the last clean candle, formatted as in clean CSV.
    pub last: Option<String>,
    /// Every run of consecutive slots without a candle in the object, filled or not.
    pub gaps: Vec<Gap>,
    /// The columns that were not used.
    pub ignored_columns: Vec<String>,
    /// Which day the source stamps weekly or monthly candles with, such as `the last session`, unless it is the first
    /// day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<String>,
    /// How the file was read, where it was not raw CSV as it is: `MetaTrader 5, separated by tabs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
}

impl Report {
    /// Whether the owner should look at the object: rows were quarantined, or a share exceeds its threshold. Such a
    /// report is an object of its own; others are only in the metadata of the transformed object if they fit there.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        self.rows.quarantined_total() > 0 || self.touched.threshold_passed()
    }

    /// Returns the report as JSON on one line, in ASCII, as the metadata of an object requires.
    #[must_use]
    pub fn ascii_json(&self) -> String {
        let json = serde_json::json!(self).to_string();
        json.chars().fold(String::with_capacity(json.len()), |mut text, char| {
            if char.is_ascii() {
                text.push(char);
            } else {
                char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
            }
            text
        })
    }
}

/// The calendar that an object was checked against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct CalendarUsed {
    /// The code of the calendar. If no calendar is known, nothing is checked or filled.
    pub code: Option<String>,
    /// The origin of the calendar's sessions and the dates that it covers.
    pub version: Option<String>,
    /// Why this calendar, or no calendar, was used.
    pub reason: String,
    /// The error of the calendar if the object has candles on dates that it does not cover. Those were not checked.
    pub horizon: Option<String>,
}

/// A run of consecutive slots without a candle.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Gap {
    /// The time of the first slot, formatted as in clean CSV.
    pub first: String,
    /// The time of the last slot, formatted as in clean CSV.
    pub last: String,
    /// The number of slots.
    pub slots: u64,
    /// Whether the slots were filled.
    pub fate: Fate,
}

/// Whether a gap was filled or why it was left vacant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Every slot was filled with the close before the gap.
    Filled,
    /// The gap is longer than `max_fill`.
    TooLong,
    /// The gap is before the first or after the last real candle of the object.
    Edge,
    /// The gap extends to dates that the calendar does not cover, so its length is unknown.
    Horizon,
    /// The source had a row for a slot of the gap, which was quarantined.
    Quarantined,
    /// The object is the result of an earlier cleaning, which left the gap vacant.
    LeftVacant,
}

/// How much of an object cleaning changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Touched {
    /// The share of quarantined rows among all rows that were not empty.
    pub quarantined: Measured,
    /// The share of filled candles among all candles written.
    pub filled: Measured,
}

/// A share and the largest share that the owner allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Measured {
    /// The share, from 0 to 1.
    pub share: f64,
    /// The largest allowed share, from 0 to 1.
    pub threshold: f64,
    /// Whether the share is larger than the threshold.
    pub passed: bool,
}

impl Touched {
    /// Returns each share with the class of its alert and the verb for the alert's text.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, Measured)> {
        [("quarantined", "quarantined", self.quarantined), ("filled", "filled", self.filled)].into_iter()
    }

    /// Whether a share exceeds its threshold, so that the owner should look at the object.
    #[must_use]
    pub fn threshold_passed(&self) -> bool {
        self.quarantined.passed || self.filled.passed
    }
}

impl Measured {
    /// Compares the share `part` of `whole` with a threshold. The share is 0 if `whole` is 0.
    #[must_use]
    pub fn new(part: u64, whole: u64, threshold: f64) -> Self {
        let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        Self { share, threshold, passed: share > threshold }
    }
}

/// The raw object that was cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Source {
    /// The key of the object.
    pub key: String,
    /// The entity tag of the object.
    pub etag: String,
    /// The time that the cleaning used as *now*, in RFC 3339: when the source sent the data or the object was written.
    pub as_of: String,
    /// Where `as_of` comes from.
    #[serde(default)]
    pub as_of_from: AsOfFrom,
}

/// The origin of the time that a cleaning used as *now*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AsOfFrom {
    /// The metadata `fetched-at` of the object, or the command line.
    #[default]
    Said,
    /// The time at which the object was written.
    Written,
    /// The time at which the object was written, converted from the machine's clock to Candlewick's simulated clock.
    WrittenSimulated,
}

/// The counts of the rows. Every row is in exactly one count:
/// `read = empty + provisional + refilled + refilled_kept + collapsed + quarantined + kept`, and
/// `written = kept + refilled_kept + filled`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Rows {
    /// Rows below the header.
    pub read: u64,
    /// Rows in which every cell is empty.
    pub empty: u64,
    /// Rows of slots that were still open when the source wrote them, so that their values were not final.
    pub provisional: u64,
    /// Filled candles of an earlier cleaning. They do not come from the source, so their slots count as vacant and are
    /// filled again if the rules say so.
    pub refilled: u64,
    /// Filled candles of an earlier cleaning that are kept, because no calendar says which slots are vacant.
    #[serde(default)]
    pub refilled_kept: u64,
    /// Rows that repeat another row of the same time.
    pub collapsed: u64,
    /// Quarantined rows, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Rows that became candles.
    pub kept: u64,
    /// The kept rows that were not checked against a calendar, because none is known or none covers their dates.
    pub unchecked: u64,
    /// Rows whose low or high was moved to include the open and the close, which were outside by the rounding of binary
    /// floats.
    #[serde(default)]
    pub widened: u64,
    /// Candles that cleaning added.
    pub filled: u64,
    /// Candles in the transformed object.
    pub written: u64,
}

impl Rows {
    /// Returns the number of quarantined rows for all reasons together.
    #[must_use]
    pub fn quarantined_total(&self) -> u64 {
        self.quarantined.values().sum()
    }

    /// Returns the sum of the counts, which equals `read` if every row is accounted for.
    #[must_use]
    pub fn accounted_for(&self) -> u64 {
        let dropped = self.empty + self.provisional + self.refilled + self.collapsed + self.quarantined_total();
        dropped + self.refilled_kept + self.kept
    }
}
