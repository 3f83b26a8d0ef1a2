//! The staging table, which holds candles that are about to be merged.

use candlewick_shared::core::candle::Candle;
use sqlx::PgConnection;

use crate::binary::Frame;
use crate::copy;
use crate::failure::{DatabaseError, DbContext};

const CREATE: &str = "create temporary table staging (
    time timestamptz not null, open numeric not null, high numeric not null, low numeric not null,
    close numeric not null, volume numeric, is_filled boolean not null) on commit drop";

/// From this many rows on, analyzing the staging table pays for itself.
const ANALYZE_FROM: usize = 1000;

/// Copies candles into the table `staging`, which exists until the transaction ends.
pub async fn stage(database: &mut PgConnection, candles: &[Candle]) -> Result<(), DatabaseError> {
    create(&mut *database).await?;
    copy::candles_in(&mut *database, "staging", &Frame::default(), candles).await?;
    if candles.len() >= ANALYZE_FROM {
        sqlx::query("analyze staging").execute(database).await.db_context("analyze the staging table")?;
    }
    Ok(())
}

/// Copies rows that are already encoded.
pub async fn stage_rows(database: &mut PgConnection, rows: &[u8]) -> Result<(), DatabaseError> {
    create(&mut *database).await?;
    copy::rows_in(database, "staging", rows).await
}

async fn create(database: &mut PgConnection) -> Result<(), DatabaseError> {
    sqlx::query(CREATE).execute(database).await.db_context("create the staging table").map(|_| ())
}
