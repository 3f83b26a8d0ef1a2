//! What is known of a raw object apart from its bytes.

use candlewick_shared::core::key::{Part, Series};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::report::Source;
use candlewick_shared::core::watchlist::CleaningSettings;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The version of the cleaning rules. It changes whenever the same input could give other bytes.
pub const RULES: u32 = 3;

/// What is known of a raw object apart from its bytes.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The series that its key names.
    pub series: &'a Series,
    /// The part of the series that its key names.
    pub part: Part,
    /// The zone of times without an offset.
    pub zone: &'a TimeZone,
    /// When the source gave the data. Later times are in the future.
    pub now: Timestamp,
    /// What the source says of the instrument.
    pub instrument: &'a Instrument,
    /// What the owner says of the instrument.
    pub settings: &'a CleaningSettings,
    pub source: Source,
    /// Whether a person put it there, so that the interval of its key may be wrong.
    pub is_by_hand: bool,
}
