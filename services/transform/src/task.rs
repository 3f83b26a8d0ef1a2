//! The input of cleaning, apart from the bytes of the raw object.

use candlewick_shared::core::key::{Part, Series};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::report::Source;
use candlewick_shared::core::watchlist::CleaningSettings;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The version of the cleaning rules. Increase it whenever the same input could produce different bytes.
pub const RULES: u32 = 4;

#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The series in the object's key.
    pub series: &'a Series,
    /// Whether the object holds all of the series or one month.
    pub part: Part,
    /// The time zone of times without an offset.
    pub zone: &'a TimeZone,
    /// When the source returned the data; later times are in the future.
    pub now: Timestamp,
    /// The instrument as the source describes it.
    pub instrument: &'a Instrument,
    /// The owner's settings for the instrument.
    pub settings: &'a CleaningSettings,
    pub source: Source,
    /// Whether a user uploaded the object, so that the interval in its key may be wrong.
    pub is_by_hand: bool,
}
