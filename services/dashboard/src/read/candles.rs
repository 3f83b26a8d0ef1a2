//! The candles of a series. Prices and volumes are the database's own text: no float comes near them.

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use utoipa::ToSchema;

use crate::query::candles::Bounds;
use crate::query::fields::{Field, Fields};

/// The n-th entry of each column is the n-th candle, in ascending order. A column that was not asked for is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Columns {
    /// Dates, or instants for intraday candles.
    #[schema(example = json!(["2024-12-30"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Vec<String>>,
    /// First prices.
    #[schema(example = json!(["252.230"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Vec<String>>,
    /// Highest prices.
    #[schema(example = json!(["253.500"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<Vec<String>>,
    /// Lowest prices.
    #[schema(example = json!(["250.750"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<Vec<String>>,
    /// Last prices.
    #[schema(example = json!(["252.200"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<Vec<String>>,
    /// What was traded; null where the instrument has no volume.
    #[schema(example = json!(["35557500"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<Vec<Option<String>>>,
    /// Which of the candles were put in by cleaning, by their place in the columns, from 0: the field `is_filled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filled: Option<Vec<usize>>,
}

/// Candles in ascending order, and what they are of their range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candles {
    /// The candles.
    pub columns: Columns,
    /// How many they are.
    pub count: usize,
    /// How many candles of the series each of them stands for.
    pub merged: i64,
    /// How many candles of the series there are in the range, where they were counted.
    pub in_range: Option<i64>,
    /// The time of the last one, where there are more than the limit.
    pub next: Option<String>,
}

const RANGE: &str = "select extract(epoch from time)::bigint{COLUMNS}
    from candles
    where symbol = $1 and interval = $2 and time between to_timestamp($3) and to_timestamp($4)
    order by time limit $5";

/// What is selected for a field of a candle; times come first in any case.
fn of_one(field: Field) -> &'static str {
    match field {
        Field::Time => "null",
        Field::Open => "open::text",
        Field::High => "high::text",
        Field::Low => "low::text",
        Field::Close => "close::text",
        Field::Volume => "volume::text",
        Field::IsFilled => "is_filled",
    }
}

/// The candles of a range, up to its limit.
///
/// # Errors
/// The database's.
pub async fn range(pool: &PgPool, series: &Series, bounds: Bounds, fields: &Fields) -> sqlx::Result<Candles> {
    // One more than the limit tells whether there are more.
    let mut rows = rows(pool, RANGE, of_one, series, bounds, fields, i64::from(bounds.limit) + 1).await?;
    let is_more = rows.len() > bounds.limit as usize;
    rows.truncate(bounds.limit as usize);
    let last = rows.last().filter(|_| is_more).map(|row| time(row, series.interval)).transpose()?;
    let columns = columns(&rows, fields, series.interval)?;
    Ok(Candles { columns, count: rows.len(), merged: 1, in_range: None, next: last })
}

/// Numbers of rows and not spans of time make the groups: closed hours would leave holes in those.
const MERGED: &str = "with numbered as (
        select *, (row_number() over (order by time) - 1) as number, count(*) over () as all_of_them
        from candles
        where symbol = $1 and interval = $2 and time between to_timestamp($3) and to_timestamp($4)),
    grouped as (select *, greatest(1, ceil(all_of_them::numeric / $5))::bigint as size from numbered)
    select extract(epoch from min(time))::bigint{COLUMNS}, min(size) as size, min(all_of_them) as all_of_them
    from grouped group by number / size order by number / size";

/// What is selected for a field of several candles: the first open, the highest high, the lowest low, the last close, the sum
/// of volumes.
fn of_many(field: Field) -> &'static str {
    match field {
        Field::Time => "null",
        Field::Open => "(array_agg(open order by time))[1]::text",
        Field::High => "max(high)::text",
        Field::Low => "min(low)::text",
        Field::Close => "(array_agg(close order by time desc))[1]::text",
        Field::Volume => "sum(volume)::text",
        Field::IsFilled => "bool_and(is_filled)",
    }
}

/// The candles of a range, merged so that there are no more than so many.
///
/// # Errors
/// The database's.
pub async fn merged(
    pool: &PgPool,
    series: &Series,
    bounds: Bounds,
    fields: &Fields,
    points: u32,
) -> sqlx::Result<Candles> {
    let rows = rows(pool, MERGED, of_many, series, bounds, fields, points.into()).await?;
    let number = |column: &str| rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>(column));
    let (merged, in_range) = (number("size")?.max(1), Some(number("all_of_them")?));
    let columns = columns(&rows, fields, series.interval)?;
    Ok(Candles { columns, count: rows.len(), merged, in_range, next: None })
}

async fn rows(
    pool: &PgPool,
    sql: &str,
    selected: impl Fn(Field) -> &'static str,
    series: &Series,
    bounds: Bounds,
    fields: &Fields,
    most: i64,
) -> sqlx::Result<Vec<PgRow>> {
    let columns: String = fields.iter().map(|field| format!(", {}", selected(field))).collect();
    let query = sqlx::query(sqlx::AssertSqlSafe(sql.replace("{COLUMNS}", &columns)))
        .bind(series.symbol.as_str())
        .bind(series.interval.as_str())
        .bind(bounds.from as f64)
        .bind(bounds.to as f64)
        .bind(most);
    query.fetch_all(pool).await
}

fn columns(rows: &[PgRow], fields: &Fields, interval: Interval) -> sqlx::Result<Columns> {
    let texts = |field| column(rows, fields, field, |row, place| row.try_get(place));
    let filled = column(rows, fields, Field::IsFilled, |row, place| row.try_get::<bool, _>(place))?;
    let places = |filled: Vec<bool>| (0..filled.len()).filter(|at| filled[*at]).collect();
    Ok(Columns {
        time: column(rows, fields, Field::Time, |row, _| time(row, interval))?,
        open: texts(Field::Open)?,
        high: texts(Field::High)?,
        low: texts(Field::Low)?,
        close: texts(Field::Close)?,
        volume: column(rows, fields, Field::Volume, |row, place| row.try_get(place))?,
        filled: filled.map(places),
    })
}

/// The values of a field, where it is asked for.
fn column<T>(
    rows: &[PgRow],
    fields: &Fields,
    field: Field,
    value: impl Fn(&PgRow, usize) -> sqlx::Result<T>,
) -> sqlx::Result<Option<Vec<T>>> {
    // The time that every row begins with is nobody's field.
    fields.place(field).map(|place| rows.iter().map(|row| value(row, place + 1)).collect()).transpose()
}

fn time(row: &PgRow, interval: Interval) -> sqlx::Result<String> {
    Ok(CandleTime::from_seconds(row.try_get(0)?).display(interval).to_string())
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
