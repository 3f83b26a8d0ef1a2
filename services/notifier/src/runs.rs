//! Runs, which ingest and the loader maintain. The notifier marks a series as failed if its message was given up.

use candlewick_shared::adapters::database::DatabaseError;
use candlewick_shared::adapters::postgres_runs;
use candlewick_shared::core::alert::AlertEvent;
use sqlx::{FromRow, PgConnection};

/// The run that ended last.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct EndedRun {
    pub id: String,
    /// How many series it consists of.
    pub expected: i64,
    /// How many of them failed.
    pub failed: i64,
    /// Why it could not be carried out at all.
    pub error: Option<String>,
}

/// Records that a series failed in its run or, if the event names no run, in every open run.
pub async fn fail_series(database: &mut PgConnection, event: &AlertEvent) -> Result<(), DatabaseError> {
    let Some(series) = &event.alert.series else { return Ok(()) };
    postgres_runs::failed(database, event.alert.run.as_deref(), series, &event.alert.text).await
}

/// The run that ended last in wall-clock time. Simulated time restarts with each start of the stack, so a run of an earlier
/// start may have ended later in simulated time.
pub async fn newest_ended(database: &mut PgConnection) -> sqlx::Result<Option<EndedRun>> {
    let query = "select id, coalesce(expected, 0) as expected, coalesce(failed, 0) as failed, error from runs
        where ended_at is not null order by ended_at + clock_lag desc, id desc limit 1";
    sqlx::query_as(query).fetch_optional(database).await
}
