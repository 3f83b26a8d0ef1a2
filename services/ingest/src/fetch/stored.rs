//! The stored candles of a part of a series if ingest did not write its raw object: someone dropped a file over it.
//!
//! Such a file may have any supported format, or be unreadable. The transformed object has the candles in one known format.

use std::collections::BTreeSet;

use candlewick_shared::core::candle::Candle;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::ObjectPath;
use candlewick_shared::core::metadata::{Metadata, RawMetadata, TransformedMetadata, is_by_hand};
use candlewick_shared::core::raw_csv::SourceRow;
use candlewick_shared::ports::store::{ObjectInfo, ObjectStore};
use candlewick_shared::runtime::outcome::Setback;
use jiff::Timestamp;

use crate::fetch::kept_object::KeptObject;

/// Whether the transformed object at a path comes from a newer dropped file at another key, such as the gzipped one.
pub async fn is_overridden(store: &dyn ObjectStore, path: &ObjectPath, raw: &ObjectInfo) -> Result<bool, Setback> {
    let Some(transformed) = store.head(&path.transformed_key()).await? else { return Ok(false) };
    let metadata = RawMetadata::read(&raw.metadata).ok();
    let written = metadata.map_or(raw.last_modified, |metadata| metadata.written(raw.last_modified, true));
    let is_newer = |origin: &TransformedMetadata| origin.raw_key != raw.key && origin.raw_written > written;
    Ok(origin(&transformed.metadata).is_some_and(|origin| is_by_hand(origin.source.as_deref()) && is_newer(&origin)))
}

/// The real candles of the transformed object at a path, as source rows; `None` if there is no readable object.
pub async fn candles(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    now: Timestamp,
) -> Result<Option<KeptObject>, Setback> {
    let Some(object) = store.get(&path.transformed_key()).await? else { return Ok(None) };
    let Some(origin) = origin(&object.info.metadata) else { return Ok(None) };
    let Ok(transformed) = clean_csv::read(&object.body, &path.series) else {
        tracing::warn!(key = object.info.key, "ignoring an unreadable transformed object");
        return Ok(None);
    };
    let interval = path.series.interval;
    let real = transformed.candles.iter().filter(|candle| !candle.is_filled);
    let rows = real.map(|candle| row(candle, interval)).collect();
    let fetched_at = origin.fetched_at.unwrap_or(origin.raw_written).min(now);
    let is_by_hand = is_by_hand(origin.source.as_deref());
    let instrument = origin.instrument;
    let reported_losses = BTreeSet::new();
    Ok(Some(KeptObject { is_by_hand, run: None, fetched_at, instrument, reported_losses, rows }))
}

fn origin(metadata: &Metadata) -> Option<TransformedMetadata> {
    TransformedMetadata::read(metadata).ok().flatten()
}

/// A candle as the API would write it, with its time in UTC.
fn row(candle: &Candle, interval: Interval) -> SourceRow {
    let time = candle.time.display(interval).to_string();
    let datetime = time.trim_end_matches('Z').replace('T', " ");
    let prices = [candle.open, candle.high, candle.low, candle.close].map(|price| price.to_string());
    SourceRow { datetime, prices, volume: candle.volume.map(|volume| volume.to_string()), fetched_at: None }
}
