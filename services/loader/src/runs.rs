//! What a run is told of its objects, in the transaction that loads them.

use candlewick_shared::adapters::postgres_runs;
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::ports::store::ObjectInfo;
use candlewick_shared::runtime::outcome::{Failure, Settled};
use sqlx::PgConnection;

use crate::failure::DatabaseError;

/// Tells the run that fetched an object, and those that wait for an older one at its key, what became of it.
pub async fn tell(
    database: &mut PgConnection,
    key: &TransformedKey,
    info: &ObjectInfo,
    outcome: &Result<Settled, Failure>,
) -> Result<(), DatabaseError> {
    // What names no origin, or none that can be read, was fetched by no run.
    let origin = TransformedMetadata::read(&info.metadata).ok().flatten();
    let run = origin.as_ref().and_then(|origin| origin.run.as_deref());
    match outcome {
        Ok(_) => postgres_runs::loaded(database, run, key, origin.as_ref().and_then(|origin| origin.fetched_at)).await,
        Err(failure) if run.is_some() => postgres_runs::failed(database, run, &key.path.series, &failure.message).await,
        Err(_) => Ok(()),
    }
}
