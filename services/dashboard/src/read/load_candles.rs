//! Reads what one load did to the candles of its series.

use candlewick_shared::adapters::database::DbTime;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use utoipa::ToSchema;

use crate::query::page::{Page, Paged};

/// What a load did to the candles of its series.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LoadCandles {
    pub id: i64,
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// When it was loaded.
    #[schema(value_type = String)]
    pub loaded_at: DbTime,
    /// The candles that it added, as runs.
    pub added: Vec<Added>,
    /// The candles that it changed or removed, in order of time.
    pub changed: Page<ChangedCandle>,
}

/// Candles that a load added.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct Added {
    /// The time of the first.
    #[schema(value_type = String)]
    pub first: DbTime,
    /// The time of the last; null if the series then ended with them.
    #[schema(value_type = Option<String>)]
    pub last: Option<DbTime>,
}

/// A candle that a load changed or removed: its values before and after. All values after are null if it was removed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct ChangedCandle {
    #[schema(value_type = String)]
    pub time: DbTime,
    pub open_before: String,
    pub high_before: String,
    pub low_before: String,
    pub close_before: String,
    /// Null if the source gave no volume.
    pub volume_before: Option<String>,
    pub is_filled_before: bool,
    pub open: Option<String>,
    pub high: Option<String>,
    pub low: Option<String>,
    pub close: Option<String>,
    /// Null if the source gave no volume.
    pub volume: Option<String>,
    pub is_filled: Option<bool>,
}

#[derive(FromRow)]
struct Noted {
    symbol: String,
    interval: String,
    loaded_at: DbTime,
}

/// What a load did, if it is known.
pub async fn of(pool: &PgPool, id: i64, paged: &Paged) -> sqlx::Result<Option<LoadCandles>> {
    let noted = "select symbol, interval, loaded_at from loads where id = $1";
    let Some(noted) = sqlx::query_as::<_, Noted>(noted).bind(id).fetch_optional(pool).await? else { return Ok(None) };
    let Noted { symbol, interval, loaded_at } = noted;
    let added = sqlx::query_as(ADDED).bind(id).fetch_all(pool).await?;
    let changed = sqlx::query_as(CHANGED).bind(id).bind(paged.skipped()).bind(paged.one_more());
    let changed = Page::counted(changed.fetch_all(pool).await?, paged);
    Ok(Some(LoadCandles { id, symbol, interval, loaded_at, added, changed }))
}

const ADDED: &str = "select first_time as first, last_time as last from late_candles where load_id = $1
    union all select inserted_from, null from loads where id = $1 and inserted_from < 'infinity' order by 1";

/// The values after the load are those before the next change of that candle, or those of today. There are none if the candle
/// was then added again before that.
const CHANGED: &str = "with h as (
        select * from candle_history where load_id = $1 order by time offset $2 limit $3),
    later as (
        select h.time,
            (select min(n.load_id) from candle_history n
             where n.symbol = h.symbol and n.interval = h.interval and n.time = h.time and n.load_id > $1) as changed,
            least(
                (select min(l.id) from loads l
                 where l.symbol = h.symbol and l.interval = h.interval and l.id > $1 and l.inserted_from <= h.time),
                (select min(l.id) from loads l join late_candles r on r.load_id = l.id
                 where l.symbol = h.symbol and l.interval = h.interval and l.id > $1
                    and h.time between r.first_time and r.last_time)) as added
        from h)
    select h.time, h.open::text as open_before, h.high::text as high_before, h.low::text as low_before,
        h.close::text as close_before, h.volume::text as volume_before, h.is_filled as is_filled_before,
        coalesce(n.open, c.open)::text as open, coalesce(n.high, c.high)::text as high, coalesce(n.low, c.low)::text as low,
        coalesce(n.close, c.close)::text as close,
        (case when n.load_id is null then c.volume else n.volume end)::text as volume,
        coalesce(n.is_filled, c.is_filled) as is_filled
    from h join later using (time)
    left join candle_history n on n.symbol = h.symbol and n.interval = h.interval and n.time = h.time
        and n.load_id = later.changed and (later.added is null or later.changed <= later.added)
    left join candles c on c.symbol = h.symbol and c.interval = h.interval and c.time = h.time
        and later.changed is null and later.added is null
    order by h.time";
