//! The stored candles of one part of a series.

use std::collections::BTreeSet;

use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::raw_csv::SourceRow;
use jiff::Timestamp;

/// The stored candles of one part of a series: a raw object that ingest wrote, or the candles of a dropped file.
#[derive(Clone, Debug)]
pub struct KeptObject {
    /// Whether it is a file that a person dropped.
    pub is_by_hand: bool,
    /// The run that fetched it.
    pub run: Option<String>,
    pub fetched_at: Timestamp,
    /// The source's data about the instrument.
    pub instrument: Instrument,
    /// The losses that were already reported, by when the source last had the lost candles.
    pub reported_losses: BTreeSet<Timestamp>,
    pub rows: Vec<SourceRow>,
}
