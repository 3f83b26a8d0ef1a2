//! Records runs in PostgreSQL. The logic is in the SQL functions of `migrations/0002_runs.sql` and later migrations.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::adapters::database::{DatabaseError, DbContext, SqlTimestamp, ToSqlx};
use crate::core::key::{Series, TransformedKey};
use crate::core::run::Run;
use crate::ports::runs::{Runs, RunsError, Written};

/// The port [`Runs`] in a PostgreSQL database.
#[derive(Clone, Debug)]
pub struct PostgresRuns {
    pool: PgPool,
}

impl PostgresRuns {
    /// Records runs in the database of this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Records a run whose message is about to be sent, so that it counts as the newest run at once.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is down or rejects the statement.
    pub async fn announce(&self, run: &Run) -> Result<(), RunsError> {
        let sql = "insert into runs (id, kind, requested_at, is_whole) values ($1, $2, $3, $4)
            on conflict do nothing";
        let query = sqlx::query(sql).bind(&run.id).bind(run.kind.as_str()).bind(run.requested_at.to_sqlx());
        Ok(query.bind(run.is_whole).execute(&self.pool).await.db_context("announce a run").map(|_| ())?)
    }
}

#[async_trait]
impl Runs for PostgresRuns {
    async fn begin(&self, run: &Run, message: &str, now: Timestamp) -> Result<bool, RunsError> {
        let query = sqlx::query_scalar("select run_begin($1, $2, $3, $4, $5, $6)")
            .bind(&run.id)
            .bind(run.kind.as_str())
            .bind(run.requested_at.to_sqlx())
            .bind(run.is_whole)
            .bind(message)
            .bind(now.to_sqlx());
        Ok(query.fetch_one(&self.pool).await.db_context("begin a run")?)
    }

    async fn pages(&self, run: &str) -> Result<Option<u32>, RunsError> {
        let query = sqlx::query_scalar::<_, i32>("select pages from runs where id = $1 and ended_at is null").bind(run);
        let pages = query.fetch_optional(&self.pool).await.db_context("read a run")?;
        Ok(pages.map(i32::unsigned_abs))
    }

    async fn expect(&self, run: &str, series: &[Series]) -> Result<(), RunsError> {
        let symbols: Vec<_> = series.iter().map(|series| series.symbol.as_str()).collect();
        let intervals: Vec<_> = series.iter().map(|series| series.interval.as_str()).collect();
        let query = sqlx::query("select run_expects($1, $2, $3)").bind(run).bind(symbols).bind(intervals);
        Ok(query.execute(&self.pool).await.db_context("record what a run expects").map(|_| ())?)
    }

    async fn page_done(&self, run: &str, page: u32, is_last: bool) -> Result<(), RunsError> {
        let page = i32::try_from(page).unwrap_or(i32::MAX);
        let query = sqlx::query("select run_page_done($1, $2, $3)").bind(run).bind(page).bind(is_last);
        Ok(query.execute(&self.pool).await.db_context("record a page of a run").map(|_| ())?)
    }

    async fn waits(&self, run: &str, reason: &str) -> Result<(), RunsError> {
        let query = sqlx::query("select run_waits($1, $2)").bind(run).bind(reason);
        Ok(query.execute(&self.pool).await.db_context("record why a run waits").map(|_| ())?)
    }

    async fn give_up(&self, run: &str, reason: &str) -> Result<(), RunsError> {
        let query = sqlx::query("select run_fails($1, $2)").bind(run).bind(reason);
        Ok(query.execute(&self.pool).await.db_context("give up a run").map(|_| ())?)
    }

    async fn is_fetched(&self, run: &str, series: &Series) -> Result<bool, RunsError> {
        let sql = "select exists (select from run_series s join runs r on r.id = s.run
            where run = $1 and symbol = $2 and interval = $3
                and (state in ('fetched', 'loaded', 'unchanged', 'superseded') or ended_at is not null and is_fetched))";
        let query = sqlx::query_scalar(sql).bind(run).bind(series.symbol.as_str()).bind(series.interval.as_str());
        Ok(query.fetch_one(&self.pool).await.db_context("check whether a series is fetched")?)
    }

    async fn fetched(&self, run: &str, series: &Series, written: &[Written]) -> Result<(), RunsError> {
        let keys: Vec<_> = written.iter().map(|written| written.path.transformed_key()).collect();
        let times: Vec<_> = written.iter().map(|written| written.fetched_at.to_sqlx()).collect();
        let query = sqlx::query("select series_fetched($1, $2, $3, $4, $5)")
            .bind(run)
            .bind(series.symbol.as_str())
            .bind(series.interval.as_str())
            .bind(keys)
            .bind(times);
        Ok(query.execute(&self.pool).await.db_context("record that a series is fetched").map(|_| ())?)
    }

    async fn failed(&self, run: &str, series: &Series, reason: &str) -> Result<(), RunsError> {
        let mut connection = self.pool.acquire().await.db_context("connect to the database")?;
        Ok(failed(&mut connection, Some(run), series, reason).await?)
    }

    async fn newest_whole(&self, by: Timestamp) -> Result<Option<Timestamp>, RunsError> {
        let sql = "select max(requested_at) from runs where is_whole and requested_at <= $1
            and (symbols is null or started_at is not null)";
        let query = sqlx::query_scalar::<_, Option<SqlTimestamp>>(sql).bind(by.to_sqlx());
        let newest = query.fetch_one(&self.pool).await.db_context("find the newest run")?;
        Ok(newest.map(SqlTimestamp::to_jiff))
    }
}

/// Records that an object was loaded, in the transaction that loads it: for the run that fetched it, and for runs that
/// wait for an older object at its key.
///
/// # Errors
///
/// Returns an error if the database is down or rejects the statement.
pub async fn loaded(
    database: &mut PgConnection,
    run: Option<&str>,
    key: &TransformedKey,
    fetched_at: Option<Timestamp>,
) -> Result<(), DatabaseError> {
    let series = &key.path.series;
    let query = sqlx::query("select series_loaded($1, $2, $3, $4, $5)")
        .bind(run)
        .bind(series.symbol.as_str())
        .bind(series.interval.as_str())
        .bind(key.path.transformed_key())
        .bind(fetched_at.map(ToSqlx::to_sqlx));
    query.execute(database).await.db_context("record that an object of a run is loaded").map(|_| ())
}

/// Records that a series can never be loaded: in this run, or in every open run if `run` is `None`.
///
/// # Errors
///
/// Returns an error if the database is down or rejects the statement.
pub async fn failed(
    database: &mut PgConnection,
    run: Option<&str>,
    series: &Series,
    reason: &str,
) -> Result<(), DatabaseError> {
    let query = sqlx::query("select series_failed($1, $2, $3, $4)")
        .bind(run)
        .bind(series.symbol.as_str())
        .bind(series.interval.as_str())
        .bind(reason);
    query.execute(database).await.db_context("record that a series of a run failed").map(|_| ())
}

impl From<DatabaseError> for RunsError {
    fn from(error: DatabaseError) -> Self {
        if error.is_outage() { Self::Down(error.to_string()) } else { Self::Refused(error.to_string()) }
    }
}
