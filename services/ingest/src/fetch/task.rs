//! The inputs of the work on one series, and how it can end.

use candlewick_shared::core::key::{ObjectPath, Part, Series};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::raw_csv::SourceRow;
use candlewick_shared::core::trace::TraceParent;
use candlewick_shared::core::watchlist::{CleaningSettings, History};
use candlewick_shared::ports::runs::Written;
use candlewick_shared::runtime::outcome::Setback;
use jiff::Timestamp;

use crate::fetch::answer::ApiError;
use crate::fetch::loss::Loss;
use crate::fetch::overlap::Overlap;

/// A series to fetch.
pub struct Task {
    pub series: Series,
    pub run: String,
    pub trace: Option<TraceParent>,
    /// Whether the answer replaces the stored history even if it has fewer candles, because the owner said so.
    pub replace: bool,
}

impl Task {
    pub fn path(&self, part: Part) -> ObjectPath {
        ObjectPath { series: self.series.clone(), part }
    }

    /// The name of a part in messages: the series, or the series and its month.
    pub fn subject(&self, part: Part) -> String {
        match part {
            Part::Whole => self.series.to_string(),
            Part::Month(month) => format!("{} {month}", self.series),
        }
    }
}

/// The watchlist's settings of the instrument.
pub struct Settings {
    /// How far back the history reaches.
    pub history: History,
    /// How its candles are cleaned. Ingest uses it to predict which rows the transform will keep.
    pub cleaning: CleaningSettings,
}

/// How the work on a series ended.
#[derive(Debug)]
pub enum Ended {
    /// Every object of the series that this run has written.
    Written(Vec<Written>),
    /// Nothing was written, and the stored history stays.
    Refused { class: &'static str, reason: String },
}

/// Why the work on a series stops.
pub(crate) enum Stop {
    Setback(Setback),
    /// The API answered without candles.
    Api(ApiError),
    /// The API answered with the candles of another instrument.
    OtherInstrument(String),
}

impl From<Setback> for Stop {
    fn from(setback: Setback) -> Self {
        Self::Setback(setback)
    }
}

/// The candles to write for one part of a series.
pub(crate) struct Fetched {
    pub(crate) instrument: Instrument,
    pub(crate) rows: Vec<SourceRow>,
    pub(crate) overlap: Overlap,
    /// Candles that the source gave earlier and no longer gives.
    pub(crate) losses: Vec<Loss>,
    /// When the month that shows the split was fetched, if this part was fetched again because of a split.
    pub(crate) refetched_since: Option<Timestamp>,
}

/// How an answer is compared with the stored candles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// It may show a split, or be about another instrument.
    AnyChange,
    /// The split is known.
    Split,
}
