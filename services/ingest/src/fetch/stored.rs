//! What the store has of a part of a series whose raw object is not ingest's: somebody dropped a file over what was fetched.
//!
//! Such a file may have any form that is read, or none. What stands of the part is in the clean object, in one form.

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

/// Whether the clean object at a path is from a newer file of somebody's at another key: the gzipped one beside this.
pub async fn goes_before(store: &dyn ObjectStore, path: &ObjectPath, raw: &ObjectInfo) -> Result<bool, Setback> {
    let Some(clean) = store.head(&path.transformed_key()).await? else { return Ok(false) };
    let metadata = RawMetadata::read(&raw.metadata).ok();
    let written = metadata.map_or(raw.last_modified, |metadata| metadata.written(raw.last_modified, true));
    let is_newer = |origin: &TransformedMetadata| origin.raw_key != raw.key && origin.raw_written > written;
    Ok(origin(&clean.metadata).is_some_and(|origin| is_by_hand(origin.source.as_deref()) && is_newer(&origin)))
}

/// The real candles of the clean object at a path, as rows that a source gave; none where there is none that can be read.
pub async fn candles(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    now: Timestamp,
) -> Result<Option<KeptObject>, Setback> {
    let Some(object) = store.get(&path.transformed_key()).await? else { return Ok(None) };
    let Some(origin) = origin(&object.info.metadata) else { return Ok(None) };
    let Ok(clean) = clean_csv::read(&object.body, &path.series) else {
        tracing::warn!(key = object.info.key, "not as it was written, and nothing of it is kept");
        return Ok(None);
    };
    let interval = path.series.interval;
    let rows = clean.candles.iter().filter(|candle| !candle.is_filled).map(|candle| row(candle, interval)).collect();
    let fetched_at = origin.fetched_at.unwrap_or(origin.raw_written).min(now);
    let is_by_hand = is_by_hand(origin.source.as_deref());
    let instrument = origin.instrument;
    let shrank = BTreeSet::new();
    Ok(Some(KeptObject { is_by_hand, run: None, fetched_at, instrument, shrank, rows }))
}

fn origin(metadata: &Metadata) -> Option<TransformedMetadata> {
    TransformedMetadata::read(metadata).ok().flatten()
}

/// A candle as the API would write it, in UTC.
fn row(candle: &Candle, interval: Interval) -> SourceRow {
    let time = candle.time.display(interval).to_string();
    let datetime = time.trim_end_matches('Z').replace('T', " ");
    let prices = [candle.open, candle.high, candle.low, candle.close].map(|price| price.to_string());
    SourceRow { datetime, prices, volume: candle.volume.map(|volume| volume.to_string()), fetched_at: None }
}
