//! Reads the runs and their progress: the only module that queries the table of runs.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{PgPool, Row};
use utoipa::ToSchema;

use super::objects::timestamp;

/// A run: one refresh of the watchlist, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Run {
    pub id: String,
    /// What started it: `scheduled`, `manual`, `catch_up`.
    pub kind: String,
    /// When it was due or requested.
    #[schema(value_type = Option<String>)]
    pub requested_at: Option<Timestamp>,
    /// When it ended; null while it is running.
    #[schema(value_type = Option<String>)]
    pub ended_at: Option<Timestamp>,
    /// The number of series that it expects.
    pub expected: i64,
    /// The number of fetched series.
    pub fetched: i64,
    /// The number of loaded series.
    pub loaded: i64,
    /// The number of series for which the source had no new data.
    pub unchanged: i64,
    /// The number of series that were fetched again before they were loaded.
    pub superseded: i64,
    /// The number of series that can never be loaded.
    pub failed: i64,
    /// Why it is stuck or has failed.
    pub error: Option<String>,
}

impl Run {
    /// The number of series that reached a final state.
    pub fn settled(&self) -> i64 {
        self.loaded + self.unchanged + self.superseded + self.failed
    }
}

const RUNS: &str = "select id, kind, extract(epoch from requested_at)::float8 as requested_at,
        extract(epoch from ended_at)::float8 as ended_at, expected, fetched, loaded, unchanged, superseded, failed, error
    from run_progress order by requested_at desc, id desc limit $1";

/// The last runs, newest first.
pub async fn last(pool: &PgPool, limit: u32) -> sqlx::Result<Vec<Run>> {
    let rows = sqlx::query(RUNS).bind(i64::from(limit)).fetch_all(pool).await?;
    let run = |row: &sqlx::postgres::PgRow| {
        Ok(Run {
            id: row.try_get("id")?,
            kind: row.try_get("kind")?,
            requested_at: timestamp(row, "requested_at")?,
            ended_at: timestamp(row, "ended_at")?,
            expected: row.try_get("expected")?,
            fetched: row.try_get("fetched")?,
            loaded: row.try_get("loaded")?,
            unchanged: row.try_get("unchanged")?,
            superseded: row.try_get("superseded")?,
            failed: row.try_get("failed")?,
            error: row.try_get("error")?,
        })
    };
    rows.iter().map(run).collect()
}
