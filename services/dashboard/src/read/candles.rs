//! The candles of a series. Prices and volumes are the database's own text: no float comes near them.

use candlewick_shared::core::key::Series;
use sqlx::{PgPool, Row};

use crate::query::candles::Bounds;

/// A candle, or several that follow each other, merged into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candle {
    /// When it opens, in seconds since 1970.
    pub time: i64,
    /// Its first price.
    pub open: String,
    /// Its highest price.
    pub high: String,
    /// Its lowest price.
    pub low: String,
    /// Its last price.
    pub close: String,
    /// What was traded; none where the instrument has no volume.
    pub volume: Option<String>,
    /// Whether cleaning put it in.
    pub is_filled: bool,
}

/// Candles in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candles {
    /// The candles.
    pub candles: Vec<Candle>,
    /// How many candles of the series each of them stands for.
    pub merged: i64,
    /// How many candles of the series there are in the range.
    pub in_range: i64,
}

const RANGE: &str = "select extract(epoch from time)::bigint, open::text, high::text, low::text, close::text,
    volume::text, is_filled
    from candles
    where symbol = $1 and interval = $2 and time between to_timestamp($3) and to_timestamp($4)
    order by time limit $5";

/// The candles of a range, and one more than the limit where there are more.
///
/// # Errors
/// The database's.
pub async fn range(pool: &PgPool, series: &Series, bounds: Bounds) -> sqlx::Result<Vec<Candle>> {
    let query = sqlx::query(RANGE)
        .bind(series.symbol.as_str())
        .bind(series.interval.as_str())
        .bind(bounds.from as f64)
        .bind(bounds.to as f64)
        .bind(i64::from(bounds.limit) + 1);
    query.fetch_all(pool).await?.iter().map(candle).collect()
}

/// Numbers of rows and not spans of time make the groups: closed hours would leave holes in those.
const MERGED: &str = "with numbered as (
        select *, (row_number() over (order by time) - 1) as number, count(*) over () as all_of_them
        from candles
        where symbol = $1 and interval = $2 and time between to_timestamp($3) and to_timestamp($4)),
    grouped as (select *, greatest(1, ceil(all_of_them::numeric / $5))::bigint as size from numbered)
    select extract(epoch from min(time))::bigint, (array_agg(open order by time))[1]::text, max(high)::text,
           min(low)::text, (array_agg(close order by time desc))[1]::text, sum(volume)::text, bool_and(is_filled),
           min(size), min(all_of_them)
    from grouped group by number / size order by number / size";

/// The candles of a range, merged so that there are no more than so many: the first open, the highest high, the lowest
/// low, the last close, the sum of volumes.
///
/// # Errors
/// The database's.
pub async fn merged(pool: &PgPool, series: &Series, bounds: Bounds, points: u32) -> sqlx::Result<Candles> {
    let query = sqlx::query(MERGED)
        .bind(series.symbol.as_str())
        .bind(series.interval.as_str())
        .bind(bounds.from as f64)
        .bind(bounds.to as f64)
        .bind(i64::from(points));
    let rows = query.fetch_all(pool).await?;
    let number = |column: usize| rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>(column));
    let (merged, in_range) = (number(7)?.max(1), number(8)?);
    Ok(Candles { candles: rows.iter().map(candle).collect::<Result<_, _>>()?, merged, in_range })
}

fn candle(row: &sqlx::postgres::PgRow) -> sqlx::Result<Candle> {
    Ok(Candle {
        time: row.try_get(0)?,
        open: row.try_get(1)?,
        high: row.try_get(2)?,
        low: row.try_get(3)?,
        close: row.try_get(4)?,
        volume: row.try_get(5)?,
        is_filled: row.try_get(6)?,
    })
}

const VERSION: &str = "select coalesce(string_agg(concat_ws(' ', id, etag, raw_written, loaded_at, rows_total), ','
        order by id), '')
    from objects where symbol = $1 and interval = $2";

/// What changes whenever a candle of the series can have changed: the versions of its objects. None where the store has
/// never seen the series.
///
/// # Errors
/// The database's.
pub async fn version(pool: &PgPool, series: &Series) -> sqlx::Result<Option<String>> {
    let query = sqlx::query_scalar(VERSION).bind(series.symbol.as_str()).bind(series.interval.as_str());
    let version: String = query.fetch_one(pool).await?;
    Ok(Some(version).filter(|version| !version.is_empty()))
}
