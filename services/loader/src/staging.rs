//! Candles on their way into the database: the text of a `COPY`.

use std::fmt::Write;

use candlewick_shared::core::candle::Candle;
use candlewick_shared::core::clean_csv::CleanCandles;
use candlewick_shared::core::interval::Interval;
use sqlx::PgConnection;

use crate::failure::{DatabaseError, During};

const CREATE: &str = "create temporary table staging (
    time timestamptz not null, open numeric not null, high numeric not null, low numeric not null,
    close numeric not null, volume numeric, is_filled boolean not null) on commit drop";

/// Puts candles into a table `staging` that lives as long as the transaction.
///
/// # Errors
/// The database's.
pub async fn stage(database: &mut PgConnection, candles: &CleanCandles) -> Result<(), DatabaseError> {
    sqlx::query(CREATE).execute(&mut *database).await.during("create the staging table")?;
    let mut copy = database.copy_in_raw("copy staging from stdin").await.during("begin the copy")?;
    copy.send(copy_text(candles).as_bytes()).await.during("copy candles")?;
    copy.finish().await.during("end the copy")?;
    sqlx::query("analyze staging").execute(database).await.during("analyze the staging table")?;
    Ok(())
}

/// The candles in PostgreSQL's text format: a line each, cells separated by tabs, `\N` for null.
fn copy_text(candles: &CleanCandles) -> String {
    let mut text = String::with_capacity(candles.candles.len() * 80);
    for candle in &candles.candles {
        let Candle { time, open, high, low, close, volume, is_filled } = candle;
        // Times are written as instants for every interval: a date is its midnight in UTC.
        let time = time.display(Interval::Min1);
        let volume = volume.map_or_else(|| "\\N".to_owned(), |volume| volume.to_string());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{time}\t{open}\t{high}\t{low}\t{close}\t{volume}\t{is_filled}");
    }
    text
}
