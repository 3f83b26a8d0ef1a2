//! Reads the table: its series, and the rows of one series as a stream.

use anyhow::Context;
use candlewick_shared::adapters::database::SqlTimestamp;
use futures::{Stream, TryStreamExt};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};

use super::compare::TableRow;

/// Skips from one series to the next in the primary key instead of reading every row.
const SERIES: &str = "with recursive series as (
        (select symbol, interval from candles order by symbol, interval limit 1)
        union all
        select next.symbol, next.interval from series s cross join lateral (
            select symbol, interval from candles c where (c.symbol, c.interval) > (s.symbol, s.interval)
            order by symbol, interval limit 1) next)
    select symbol, interval from series";

/// Lists the symbol and interval of each series that has rows.
pub async fn series(pool: &PgPool) -> anyhow::Result<Vec<(String, String)>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as(SERIES).fetch_all(pool).await.context("list the table's series")?;
    Ok(rows)
}

const ROWS: &str = "select c.time, trim_scale(c.open)::text,
        trim_scale(c.high)::text, trim_scale(c.low)::text, trim_scale(c.close)::text, trim_scale(c.volume)::text,
        c.is_filled, o.key
    from candles c join objects o on o.id = c.object_id
    where c.symbol = $1 and c.interval = $2 order by c.time";

/// Streams the rows of a series, ascending by time.
pub fn rows<'a>(
    pool: &'a PgPool,
    symbol: &'a str,
    interval: &'a str,
) -> impl Stream<Item = anyhow::Result<TableRow>> + Send + 'a {
    let rows = sqlx::query(ROWS).bind(symbol).bind(interval).fetch(pool);
    rows.map_err(|error| anyhow::Error::from(error).context("read the table's rows"))
        .and_then(|row| async move { read(&row) })
}

fn read(row: &PgRow) -> anyhow::Result<TableRow> {
    Ok(TableRow {
        time: row.try_get::<SqlTimestamp, _>(0)?.to_jiff().as_microsecond(),
        prices: [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?],
        volume: row.try_get(5)?,
        is_filled: row.try_get(6)?,
        object: row.try_get(7)?,
    })
}
