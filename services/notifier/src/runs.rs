//! Runs, which ingest and the loader maintain. The notifier marks a series as failed if its message was given up.

use candlewick_shared::adapters::database::DatabaseError;
use candlewick_shared::adapters::postgres_runs;
use candlewick_shared::core::alert::AlertEvent;
use sqlx::PgConnection;

/// Records that a series failed in its run or, if the event names no run, in every open run.
pub async fn fail_series(database: &mut PgConnection, event: &AlertEvent) -> Result<(), DatabaseError> {
    let Some(series) = &event.alert.series else { return Ok(()) };
    postgres_runs::failed(database, event.alert.run.as_deref(), series, &event.alert.text).await
}
