//! The event `candles.loaded`, which tells programs outside Candlewick what a load changed (docs/events.md).
//!
//! Its shape is that of the payloads in the Standard Webhooks specification: a type, a time, and the data.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

/// The type of the event.
pub const TYPE: &str = "candles.loaded";

/// The version of the format. A version may get more fields; it never loses one, and none changes its meaning.
pub const VERSION: u32 = 1;

/// The event that a version of an object was loaded. Its JSON has the schema `docs/schemas/candles-loaded-v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoadedEvent {
    /// The type of the event: `candles.loaded`.
    #[serde(rename = "type")]
    #[schema(example = "candles.loaded")]
    pub event_type: String,
    /// The version of the format: 1.
    pub version: u32,
    /// The id of the event, a UUID. It is the same in every delivery.
    pub id: String,
    /// When the version was loaded, by Candlewick's clock.
    #[schema(value_type = String)]
    pub timestamp: Timestamp,
    /// What was loaded.
    pub data: Loaded,
}

/// A load of a version of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Loaded {
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// The run that fetched the object; null for a dropped file.
    pub run: Option<String>,
    /// The key of the transformed object.
    pub key: String,
    /// The entity tag of the version.
    pub etag: Option<String>,
    /// The bucket's id of the version, if the bucket keeps versions.
    pub version_id: Option<String>,
    /// What became of the candles.
    pub rows: Rows,
    /// The first candle that was added, changed or removed: a date, or an instant in UTC for candles shorter than a day.
    /// Null if nothing changed.
    pub from: Option<String>,
    /// The last candle that was added, changed or removed, written like `from`.
    pub to: Option<String>,
    /// The trace in which the object was fetched, 32 hexadecimal digits.
    pub trace_id: Option<String>,
}

/// The candles of a loaded version, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rows {
    /// The number of candles in the version.
    pub total: i64,
    /// The number of candles that were new.
    pub added: i64,
    /// The number of candles whose values changed.
    pub changed: i64,
    /// The number of candles that stayed the same.
    pub unchanged: i64,
    /// The number of candles of the previous version that the series no longer has.
    pub removed: i64,
}

/// A place in the order of events: the id of a load, after which reading continues. 0 is before the first event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EventCursor(pub i64);

/// The text is not a cursor of events.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a cursor of events: it looks like 4711, and 0 is before the first event")]
pub struct BadCursor(String);

impl fmt::Display for EventCursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for EventCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let bad = || BadCursor(text.chars().take(40).collect());
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number).map(Self).ok_or_else(bad)
    }
}

impl<'de> Deserialize<'de> for EventCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        for cursor in [EventCursor::default(), EventCursor(i64::MAX)] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for bad in ["", "-1", "+1", "1.0", " 1", "1-2", "9223372036854775808", "x"] {
            let error = bad.parse::<EventCursor>().unwrap_err().to_string();
            assert!(error.contains("4711"), "{bad}: {error}");
        }
    }
}
