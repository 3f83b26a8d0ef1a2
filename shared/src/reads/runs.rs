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
    /// Why it was requested, in the words of the request.
    pub reason: Option<String>,
}

impl RunProgress {
    /// The number of series that reached a final state.
    #[must_use]
    pub fn settled(&self) -> i64 {
        self.loaded + self.unchanged + self.superseded + self.failed
    }

    /// Whether it ended, with or without failed series.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Whether it ended, and no series failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.state == "ended" && self.failed == 0
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
                p.failed, p.error, r.reason,
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

/// A series of a run, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RunSeries {
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// `expected`, `fetched`, `loaded`, `unchanged`, `superseded` or `failed`.
    pub state: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// The number of candles that the run's loads added.
    pub rows_new: i64,
    /// The number of candles that they changed.
    pub rows_changed: i64,
    /// The number of candles that they removed.
    pub rows_removed: i64,
    /// When the last of them was committed.
    pub loaded_at: Option<DbTime>,
    /// The time of the first candle of the stored series.
    pub first: Option<DbTime>,
    /// The time of its last candle.
    pub last: Option<DbTime>,
    /// The key of the transformed object that was loaded last for this run.
    pub key: Option<String>,
    /// The version of that object.
    pub etag: Option<String>,
    /// The transformed objects that are not loaded yet.
    pub waiting: Vec<String>,
}

/// Which series of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// Only this symbol.
    pub symbol: Option<&'a str>,
    /// Only this interval.
    pub interval: Option<&'a str>,
    /// How many series are skipped, in the order of symbol and interval.
    pub skipped: i64,
    /// The most series.
    pub most: i64,
}

const SERIES: &str = "select s.symbol, s.interval, s.state, s.reason, l.rows_new, l.rows_changed, l.rows_removed, l.loaded_at,
        stored.first, stored.last, newest.key, newest.etag, waiting.keys as waiting
    from run_series s
    cross join lateral (
        select coalesce(sum(rows_inserted), 0)::bigint as rows_new, coalesce(sum(rows_updated), 0)::bigint as rows_changed,
               coalesce(sum(rows_removed), 0)::bigint as rows_removed, max(loaded_at) as loaded_at
        from loads where run = s.run and symbol = s.symbol and interval = s.interval) l
    cross join lateral (
        select min(first_time) as first, max(last_time) as last from objects
        where symbol = s.symbol and interval = s.interval) stored
    left join lateral (
        select o.key, o.etag from objects o
        where o.symbol = s.symbol and o.interval = s.interval and o.run = s.run and o.etag is not null
        order by o.loaded_at desc limit 1) newest on true
    cross join lateral (
        select coalesce(array_agg(key order by key), '{}') as keys from run_objects
        where run = s.run and symbol = s.symbol and interval = s.interval and state = 'waiting') waiting
    where s.run = $1 and ($2::text is null or s.symbol = $2) and ($3::text is null or s.interval = $3)
    order by s.symbol, s.interval offset $4 limit $5";

/// The series of a run, in the order of symbol and interval. They are kept for thirty days.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn series(
    database: impl PgExecutor<'_>,
    run: &str,
    selection: Selection<'_>,
) -> sqlx::Result<Vec<RunSeries>> {
    let query = sqlx::query_as(SERIES).bind(run).bind(selection.symbol).bind(selection.interval);
    query.bind(selection.skipped).bind(selection.most).fetch_all(database).await
}

/// Whether all series of a run are known, so that no others will be added.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn is_complete(database: impl PgExecutor<'_>, run: &str) -> sqlx::Result<bool> {
    let complete = "select is_laid_out or ended_at is not null from runs where id = $1";
    Ok(sqlx::query_scalar(complete).bind(run).fetch_optional(database).await?.unwrap_or(false))
}
