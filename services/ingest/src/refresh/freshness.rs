//! Whether a series must be fetched again.

use candlewick_shared::core::key::{Month, ObjectPath, Part, Series};
use candlewick_shared::core::metadata::RawMetadata;
use candlewick_shared::ports::store::{ObjectStore, StoreError};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Whether a series was last fetched earlier than `before`, or never. Its newest raw object records when it was fetched.
pub async fn is_due(
    store: &dyn ObjectStore,
    series: &Series,
    before: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let part = if series.interval.is_intraday() { Part::Month(Month::of(today)) } else { Part::Whole };
    let key = ObjectPath { series: series.clone(), part }.raw_key();
    let Some(info) = store.head(&key).await? else { return Ok(true) };
    let fetched_at = RawMetadata::read(&info.metadata).ok().and_then(|metadata| metadata.fetched_at);
    Ok(fetched_at.is_none_or(|fetched_at| fetched_at < before))
}
