//! Candles on their way into the table.

use candlewick_shared::core::candle::Candle;
use sqlx::PgConnection;

use crate::binary::Frame;
use crate::copy;
use crate::failure::{DatabaseError, During};

const CREATE: &str = "create temporary table staging (
    time timestamptz not null, open numeric not null, high numeric not null, low numeric not null,
    close numeric not null, volume numeric, is_filled boolean not null) on commit drop";

/// From so many rows on it pays to let the planner know how many there are.
const MANY: usize = 1000;

/// Puts candles into a table `staging` that lives as long as the transaction.
pub async fn stage(database: &mut PgConnection, candles: &[Candle]) -> Result<(), DatabaseError> {
    create(&mut *database).await?;
    copy::candles_in(&mut *database, "staging", &Frame::default(), candles).await?;
    if candles.len() >= MANY {
        sqlx::query("analyze staging").execute(database).await.during("analyze the staging table")?;
    }
    Ok(())
}

/// The same for rows that are encoded already.
pub async fn stage_rows(database: &mut PgConnection, rows: &[u8]) -> Result<(), DatabaseError> {
    create(&mut *database).await?;
    copy::rows_in(database, "staging", rows).await
}

async fn create(database: &mut PgConnection) -> Result<(), DatabaseError> {
    sqlx::query(CREATE).execute(database).await.during("create the staging table").map(|_| ())
}
