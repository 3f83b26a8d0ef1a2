//! Reads what loads changed: the history of each series.

use candlewick_shared::adapters::database::{DbTime, ToSqlx, instant};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use utoipa::ToSchema;

use crate::query::changes::ChangeQuery;
use crate::query::page::Page;

/// A load of an object, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct Load {
    pub id: i64,
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// The id of the object in the objects ledger.
    pub object_id: i64,
    /// The key of the transformed object.
    pub key: String,
    /// The run that fetched it; null for a dropped file.
    pub run: Option<String>,
    /// When it was loaded.
    #[schema(value_type = String)]
    pub loaded_at: DbTime,
    /// The number of candles in the version.
    pub rows_total: i64,
    /// The number of candles that it added.
    pub rows_inserted: i64,
    /// The number of candles that it changed: the source restated them, or real candles replaced filled ones.
    pub rows_updated: i64,
    /// The number of candles that stayed the same.
    pub rows_unchanged: i64,
    /// The number of candles of the previous version that it removed.
    pub rows_removed: i64,
    /// The number of real candles that the series lost.
    pub lost: i64,
    /// The time of the first lost candle.
    #[schema(value_type = Option<String>)]
    pub lost_first: Option<DbTime>,
    /// The time of the last lost candle.
    #[schema(value_type = Option<String>)]
    pub lost_last: Option<DbTime>,
}

/// What changed since a time, over all series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema, FromRow)]
pub struct Changed {
    /// The number of series with a load that changed something.
    pub series: i64,
    /// The number of added candles.
    pub inserted: i64,
    /// The number of changed candles.
    pub updated: i64,
    /// The number of removed candles.
    pub removed: i64,
}

const LOADS: &str = "select l.id, l.symbol, l.interval, l.object_id, o.key, l.run, l.loaded_at,
        l.rows_total, l.rows_inserted, l.rows_updated, l.rows_unchanged, l.rows_removed, coalesce(x.candles, 0) as lost,
        x.first_time as lost_first, x.last_time as lost_last
    from loads l join objects o on o.id = l.object_id
    left join lateral (select sum(candles)::bigint as candles, min(first_time) as first_time, max(last_time) as last_time
                       from lost_candles x where x.object_id = l.object_id and x.lost_at = l.loaded_at) x on true
    where ($1::text is null or l.symbol = $1) and ($2::text is null or l.interval = $2)
        and ($3::timestamptz is null or l.loaded_at >= $3) and ($4::bigint is null or l.id < $4)
        and ($5 or l.rows_inserted + l.rows_updated + l.rows_removed > 0)
    order by l.id desc limit $6";

/// The requested loads, newest first.
pub async fn loads(pool: &PgPool, query: &ChangeQuery) -> sqlx::Result<Page<Load>> {
    let paged = query.paged();
    let rows = sqlx::query_as(LOADS)
        .bind(query.symbol.as_ref().map(|symbol| symbol.as_str()))
        .bind(query.interval.map(|interval| interval.as_str()))
        .bind(query.since.map(|since| instant(since.first())))
        .bind(paged.after)
        .bind(query.all.unwrap_or(false))
        .bind(paged.one_more())
        .fetch_all(pool)
        .await?;
    Ok(Page::of(rows, &paged, |load: &Load| load.id))
}

const CHANGED: &str = "select count(distinct (symbol, interval)) filter (where rows_inserted + rows_updated + rows_removed > 0) as series,
        coalesce(sum(rows_inserted), 0)::bigint as inserted, coalesce(sum(rows_updated), 0)::bigint as updated,
        coalesce(sum(rows_removed), 0)::bigint as removed
    from loads where loaded_at >= $1";

/// What changed since a time.
pub async fn since(pool: &PgPool, time: Timestamp) -> sqlx::Result<Changed> {
    sqlx::query_as(CHANGED).bind(time.to_sqlx()).fetch_one(pool).await
}
