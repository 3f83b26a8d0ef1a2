//! Waits until the database has its tables, which `candlewick migrate` creates.

use std::time::Duration;

use candlewick_shared::runtime::health::{Health, Readiness};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::failure::{DatabaseError, DbContext};

const POLL: Duration = Duration::from_secs(1);

/// The tables that the loader writes. Their columns are checked by the statements that use them.
const TABLES: &str = "select count(*) = count(to_regclass(name)) from unnest(
    array['candles', 'shadowed_candles', 'objects', 'instruments', 'quality']) name";

/// Returns once the tables exist, or at a stop. Until then the service reports why it is not ready.
pub async fn wait_for(pool: &PgPool, health: &Health, stop: &CancellationToken) -> Result<(), DatabaseError> {
    let mut is_logged = false;
    while !exist(pool).await? {
        let waiting = "the database has no tables yet: candlewick migrate creates them";
        if !is_logged {
            tracing::warn!("{waiting}; checking again every second");
            is_logged = true;
        }
        health.report("schema", Readiness::Waiting(waiting.to_owned()));
        if tokio::time::timeout(POLL, stop.cancelled()).await.is_ok() {
            return Ok(());
        }
    }
    health.report("schema", Readiness::Ready);
    Ok(())
}

async fn exist(pool: &PgPool) -> Result<bool, DatabaseError> {
    sqlx::query_scalar(TABLES).fetch_one(pool).await.db_context("look for the tables")
}
