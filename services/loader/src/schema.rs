//! Waits for the tables, which somebody else makes.

use std::time::Duration;

use candlewick_shared::runtime::health::{Health, State};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::failure::{DatabaseError, During};

/// How long until the next look.
const AGAIN: Duration = Duration::from_secs(1);

/// The tables that the loader writes. What they have in them is found out by writing.
const TABLES: &str = "select count(*) = count(to_regclass(name)) from unnest(
    array['candles', 'shadowed_candles', 'objects', 'instruments', 'quality']) name";

/// Returns when the tables are there, or at a stop. Meanwhile the service is not ready, and says why.
pub async fn wait_for(pool: &PgPool, health: &Health, stop: &CancellationToken) -> Result<(), DatabaseError> {
    let mut is_told = false;
    while !is_there(pool).await? {
        let waiting = "the database has no tables yet: candlewick migrate makes them";
        if !is_told {
            tracing::warn!("{waiting}; looking again each second");
            is_told = true;
        }
        health.report("schema", State::Waiting(waiting.to_owned()));
        if tokio::time::timeout(AGAIN, stop.cancelled()).await.is_ok() {
            return Ok(());
        }
    }
    health.report("schema", State::Ready);
    Ok(())
}

async fn is_there(pool: &PgPool) -> Result<bool, DatabaseError> {
    sqlx::query_scalar(TABLES).fetch_one(pool).await.during("look for the tables")
}
