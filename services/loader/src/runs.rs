//! Records in the runs what became of an object, in the transaction that loads it.

use candlewick_shared::adapters::postgres_runs;
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::ports::store::ObjectInfo;
use candlewick_shared::runtime::outcome::{Failure, Settled};
use sqlx::PgConnection;

use crate::failure::DatabaseError;

/// Records the outcome in the run that fetched the object, and in runs that wait for an older object of the same key.
pub async fn record(
    database: &mut PgConnection,
    key: &TransformedKey,
    info: &ObjectInfo,
    outcome: &Result<Settled, Failure>,
) -> Result<(), DatabaseError> {
    // An object without readable metadata belongs to no run.
    let origin = TransformedMetadata::read(&info.metadata).ok().flatten();
    let run = origin.as_ref().and_then(|origin| origin.run.as_deref());
    match outcome {
        Ok(_) => postgres_runs::loaded(database, run, key, origin.as_ref().and_then(|origin| origin.fetched_at)).await,
        Err(failure) if run.is_some() => postgres_runs::failed(database, run, &key.path.series, &failure.message).await,
        Err(_) => Ok(()),
    }
}
