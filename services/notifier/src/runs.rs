//! The runs, which other services keep: a series whose message was given up has failed in them.

use candlewick_shared::adapters::database::DatabaseError;
use candlewick_shared::adapters::postgres_runs;
use candlewick_shared::core::alert::AlertEvent;
use sqlx::{FromRow, PgConnection};

/// The newest run that ended.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct EndedRun {
    /// Its name.
    pub id: String,
    /// How many series it expected.
    pub expected: i64,
    /// How many of them failed.
    pub failed: i64,
    /// Why it could not be carried out at all, where it could not.
    pub error: Option<String>,
}

/// Notes that a series failed in its run, or in every open run where the event names none.
pub async fn fail_series(database: &mut PgConnection, event: &AlertEvent) -> Result<(), DatabaseError> {
    let Some(series) = &event.alert.series else { return Ok(()) };
    postgres_runs::failed(database, event.alert.run.as_deref(), series, &event.alert.text).await
}

/// The run that ended last by the machine's clock; none where none did. The simulator's begins anew with each start of the
/// stack, so that a run of its former life may have a later time than those of now.
pub async fn newest_ended(database: &mut PgConnection) -> sqlx::Result<Option<EndedRun>> {
    let query = "select id, coalesce(expected, 0) as expected, coalesce(failed, 0) as failed, error from runs
        where ended_at is not null order by ended_at + clock_lag desc, id desc limit 1";
    sqlx::query_as(query).fetch_optional(database).await
}
