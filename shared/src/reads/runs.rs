//! Runs and their progress.

use serde::Serialize;
use sqlx::{FromRow, PgExecutor};
use utoipa::ToSchema;

use crate::adapters::database::DbTime;

/// A run and how far it got.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunProgress {
    /// The id of the run.
    pub id: String,
    /// What started it: `scheduled`, `manual`, `catch_up`.
    pub kind: String,
    /// When it was due or requested, by Candlewick's clock.
    #[schema(value_type = String)]
    pub requested_at: DbTime,
    /// When it ended; null while it is running.
    #[schema(value_type = Option<String>)]
    pub ended_at: Option<DbTime>,
    /// `waiting`, `running`, `ended` or `failed`.
    pub state: String,
    /// Seconds from its start to its end, or to now.
    pub seconds: Option<i64>,
    /// The number of series that it expects.
    pub expected: i64,
    /// The number of fetched series.
    pub fetched: i64,
    /// The number of series whose objects are all loaded.
    pub loaded: i64,
    /// The number of series for which the source had no new data.
    pub unchanged: i64,
    /// The number of series that were fetched again before they were loaded.
    pub superseded: i64,
    /// The number of series that can never be loaded.
    pub failed: i64,
    /// Why it waits or has failed.
    pub error: Option<String>,
}

impl RunProgress {
    /// The number of series that reached a final state.
    #[must_use]
    pub fn settled(&self) -> i64 {
        self.loaded + self.unchanged + self.superseded + self.failed
    }
}

/// A series of a run that is neither loaded nor unchanged.
#[derive(Debug, FromRow, Serialize)]
pub struct UnloadedSeries {
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// `expected`, `fetched`, `superseded` or `failed`.
    pub state: String,
    /// Why it failed.
    pub reason: Option<String>,
}

/// A query for runs, given what comes after its FROM clause.
macro_rules! runs {
    ($rest:literal) => {
        concat!(
            "select p.id, p.kind, p.requested_at, p.ended_at, p.expected, p.fetched, p.loaded, p.unchanged, p.superseded,
                p.failed, p.error,
                extract(epoch from coalesce(p.ended_at, clock_timestamp() - r.clock_lag) - p.started_at)::bigint as seconds,
                case when p.ended_at is not null and p.is_laid_out then 'ended' when p.ended_at is not null then 'failed'
                     when p.started_at is null or p.error is not null then 'waiting' else 'running' end as state
            from run_progress p join runs r on r.id = p.id ",
            $rest
        )
    };
}

const NEWEST: &str = runs!("order by p.requested_at desc, p.id desc limit $1");

const ONE: &str = runs!("where p.id = $1");

const NEWEST_ENDED: &str =
    runs!("where r.ended_at is not null order by r.ended_at + r.clock_lag desc, p.id desc limit 1");

/// The newest runs, newest first.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn newest(database: impl PgExecutor<'_>, most: u32) -> sqlx::Result<Vec<RunProgress>> {
    sqlx::query_as(NEWEST).bind(i64::from(most)).fetch_all(database).await
}

/// The run with an id, if there is one.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn one(database: impl PgExecutor<'_>, id: &str) -> sqlx::Result<Option<RunProgress>> {
    sqlx::query_as(ONE).bind(id).fetch_optional(database).await
}

/// The run that ended last in wall-clock time. Simulated time restarts with each start of the stack, so a run of an
/// earlier start may have ended later in simulated time.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn newest_ended(database: impl PgExecutor<'_>) -> sqlx::Result<Option<RunProgress>> {
    sqlx::query_as(NEWEST_ENDED).fetch_optional(database).await
}

const UNLOADED: &str = "select symbol, interval, state, reason from run_series
    where run = $1 and state not in ('loaded', 'unchanged') order by symbol, interval";

/// The series of a run that are neither loaded nor unchanged.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn unloaded(database: impl PgExecutor<'_>, run: &str) -> sqlx::Result<Vec<UnloadedSeries>> {
    sqlx::query_as(UNLOADED).bind(run).fetch_all(database).await
}
