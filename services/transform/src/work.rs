//! One raw object and what is made of it: every decision of the handler that needs no call to the store.

use candlewick_shared::core::key::RawKey;
use candlewick_shared::core::metadata::{RawMetadata, TransformedMetadata, is_by_hand};
use candlewick_shared::core::report::Report;
use candlewick_shared::core::watchlist::CleaningSettings;
use candlewick_shared::ports::store::{Object, ObjectInfo};
use candlewick_shared::runtime::outcome::Failure;
use candlewick_shared::runtime::telemetry;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing::Span;

use crate::as_of::AsOf;
use crate::clean::{self, Cleaned};
use crate::columns::{self, Columns};
use crate::existing::{Existing, bad_metadata};
use crate::task::Task;
use crate::unpack::{self, Measured};

/// A raw object that was read, and the state of its outputs before it was read.
pub struct Work {
    pub key: RawKey,
    pub object: Object,
    pub metadata: RawMetadata,
    pub written: Timestamp,
    pub as_of: AsOf,
    pub existing: Existing,
    pub settings: CleaningSettings,
    pub writes_columns: bool,
}

/// What is written for a raw object.
pub struct Outputs {
    pub report: Report,
    pub quarantine: Vec<u8>,
    /// The candles as Parquet, if they are wanted.
    pub columns: Option<Columns>,
    /// The clean CSV.
    pub transformed: Vec<u8>,
}

impl Work {
    /// The key of the raw object that the transformed object was made from, if it is a different and newer one. Only a gzipped and a
    /// plain object of the same name share one; the current object at a key is always the newest one at that key.
    pub fn newer_source(&self) -> Option<&str> {
        let own = self.key.to_string();
        let newer = |origin: &&TransformedMetadata| (origin.raw_written, &origin.raw_key) > (self.written, &own);
        let origin = self.existing.origin.as_ref().filter(|origin| origin.raw_key != own).filter(newer)?;
        Some(&origin.raw_key)
    }

    /// The span for all work on this object, in the trace from its metadata.
    pub fn span(&self) -> Span {
        let key = &self.key;
        let run = self.metadata.run.as_deref();
        let trace = self.metadata.traceparent;
        let trace_id = trace.map(|trace| trace.trace_id());
        telemetry::follow(tracing::info_span!("transform", %key, run, trace_id), trace)
    }

    /// The time zone of times without an offset. Dates need no zone, so an invalid name does not cost them their
    /// candles.
    fn zone(&self) -> Result<TimeZone, Failure> {
        match self.metadata.time_zone() {
            Err(error) if !self.key.path.series.interval.is_intraday() => {
                tracing::warn!(key = %self.key, "the dates are taken as they are: {error}");
                Ok(TimeZone::UTC)
            }
            zone => zone.map_err(bad_metadata),
        }
    }

    pub fn measure(&self, most: u64) -> Result<Measured, Failure> {
        unpack::measure(&self.object.body, most).map_err(|failure| self.of_this_object(failure))
    }

    fn of_this_object(&self, failure: Failure) -> Failure {
        Failure { message: format!("{}: {}", self.key, failure.message), ..failure }
    }

    pub fn clean(&self, measured: Measured) -> Result<Outputs, Failure> {
        let text = unpack::unpack(self.object.body.clone(), measured);
        let text = text.map_err(|failure| self.of_this_object(failure))?;
        let zone = self.zone()?;
        let key = self.key.to_string();
        let task = Task {
            series: &self.key.path.series,
            part: self.key.path.part,
            zone: &zone,
            now: self.as_of.at,
            instrument: &self.metadata.instrument,
            settings: &self.settings,
            source: self.as_of.source(key.clone(), self.object.info.etag.clone()),
            is_by_hand: is_by_hand(self.metadata.source.as_deref()),
        };
        let clean = if self.metadata.is_emptied { clean::clean_or_empty } else { clean::clean };
        let cleaned =
            clean(&text, &task).map_err(|refusal| Failure::new(refusal.class(), format!("{key}: {refusal}")))?;
        let outputs = Outputs::of(cleaned, text.len());
        let outputs = outputs.map_err(|error| Failure::new("unreadable_object", format!("{key}: {error}")))?;
        let outputs = self.require_no_loss(outputs)?;
        // It frees memory for the columns.
        drop(text);
        self.with_columns(outputs)
    }

    fn with_columns(&self, outputs: Outputs) -> Result<Outputs, Failure> {
        if !self.writes_columns {
            return Ok(outputs);
        }
        let RawMetadata { source, instrument, .. } = &self.metadata;
        let key = self.key.to_string();
        let series = &self.key.path.series;
        let columns = columns::of(&key, series, &outputs.transformed, source.as_deref(), instrument)?;
        Ok(Outputs { columns: Some(columns), ..outputs })
    }

    /// An object whose rows are all provisional is valid, but it must not replace existing candles.
    fn require_no_loss(&self, outputs: Outputs) -> Result<Outputs, Failure> {
        let is_there = |info: &ObjectInfo| info.size > outputs.transformed.len() as u64;
        if outputs.report.rows.written == 0
            && !self.metadata.is_emptied
            && self.existing.transformed.as_ref().is_some_and(is_there)
        {
            let text = format!("{}: all of its rows are still open: nothing was replaced", self.key);
            return Err(Failure::new("nothing_usable", text));
        }
        Ok(outputs)
    }

    /// The metadata of the transformed object, before anything else is written.
    pub fn origin(&self, now: Timestamp) -> TransformedMetadata {
        TransformedMetadata {
            source: self.metadata.source.clone(),
            fetched_at: self.metadata.fetched_at,
            transformed_at: Some(now),
            traceparent: telemetry::current().or(self.metadata.traceparent),
            run: self.metadata.run.clone(),
            instrument: self.metadata.instrument.clone(),
            ..TransformedMetadata::of(self.key.to_string(), self.object.info.etag.clone(), self.written)
        }
    }
}

impl Outputs {
    fn of(cleaned: Cleaned<'_>, length: usize) -> anyhow::Result<Self> {
        let mut transformed = Vec::with_capacity(length + length / 4);
        let mut quarantine = Vec::new();
        cleaned.write_candles(&mut transformed)?;
        cleaned.write_quarantine(&mut quarantine)?;
        Ok(Self { report: cleaned.report, quarantine, columns: None, transformed })
    }
}
