//! Whether a series is to be fetched again.

use candlewick_shared::core::key::{Month, ObjectPath, Part, Series};
use candlewick_shared::core::metadata::RawMetadata;
use candlewick_shared::ports::store::{ObjectStore, StoreError};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Whether a series was not fetched at `before` or later: its newest raw object says when it was. One that says no time was
/// never fetched.
///
/// # Errors
/// The store's.
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
