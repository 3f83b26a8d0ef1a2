//! Keeps which candles were new with a load, so that the series can be read as it was before (table `late_candles` and column
//! `inserted_from`, migration 0012).
//!
//! Nearly all loads add candles after all others. For these one time is enough. Candles that were added before others are kept
//! as runs.

use candlewick_shared::core::candle::CandleTime;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row};

use crate::claim::Claim;
use crate::failure::{DatabaseError, DbContext, SqlTimestamp, ToSqlx};

/// A run is at the end if the series has no later candle.
const SPAN: &str = "with run as (
        select $4::timestamptz as first_time, $5::timestamptz as last_time, not exists (
            select from candles
            where symbol = $2 and interval = $3 and time > $5 and $1::bigint is not null) as is_at_end),
    late as (
        insert into late_candles select current_load(), first_time, last_time from run where not is_at_end)
    select first_time from run where is_at_end";

/// Records that all candles of a span were new, and returns its start if no candles follow it.
pub async fn record_span(
    database: &mut PgConnection,
    claim: Claim<'_>,
    first: CandleTime,
    last: CandleTime,
) -> Result<Option<SqlTimestamp>, DatabaseError> {
    let time = |time: CandleTime| time.timestamp().map(ToSqlx::to_sqlx);
    let query = claim.bound(SPAN).bind(time(first)).bind(time(last));
    fetch(query, database).await
}

/// The runs of new candles that no candle from before the load interrupts. A candle that the load removed and wrote again was
/// there before.
const TIMES: &str = "with added as (
        select time from unnest($4::timestamptz[]) as added (time)
        where not exists (select from candle_history h
            where h.symbol = $2 and h.interval = $3 and h.time = added.time
                and h.load_id = (select current_load()))),
    near as (
        select c.time, added.time is not null as is_new
        from candles c left join added on added.time = c.time
        where c.symbol = $2 and c.interval = $3 and $1::bigint is not null
            and c.time between (select min(time) from added) and (select max(time) from added)),
    numbered as (select time, is_new, count(*) filter (where not is_new) over (order by time) as run from near),
    runs as (select min(time) as first_time, max(time) as last_time from numbered where is_new group by run),
    placed as (
        select *, not exists (
            select from candles c
            where c.symbol = $2 and c.interval = $3 and c.time > runs.last_time) as is_at_end from runs),
    late as (
        insert into late_candles select current_load(), first_time, last_time from placed where not is_at_end)
    select first_time from placed where is_at_end";

/// Records which candles were new, and returns the start of those that no others follow.
pub async fn record_times(
    database: &mut PgConnection,
    claim: Claim<'_>,
    times: Vec<SqlTimestamp>,
) -> Result<Option<SqlTimestamp>, DatabaseError> {
    if times.is_empty() {
        return Ok(None);
    }
    fetch(claim.bound(TIMES).bind(times), database).await
}

async fn fetch(
    query: Query<'_, Postgres, PgArguments>,
    database: &mut PgConnection,
) -> Result<Option<SqlTimestamp>, DatabaseError> {
    let row = query.fetch_optional(database).await.db_context("record the new candles")?;
    Ok(row.map(|row| row.get(0)))
}
