//! What a series loses by a load: real candles that are gone, or that filled ones have replaced.
//!
//! The ledger's `rows_removed` does not say it: a filled candle is no loss, a candle that another object of the series still
//! has is none either, and a real one that becomes a filled one is not removed.

use candlewick_shared::core::candle::CandleTime;
use jiff::Timestamp;
use sqlx::{PgConnection, Row};

use crate::claim::Claim;
use crate::failure::{DatabaseError, During};
use crate::ledger::{Entry, Version};

/// Real candles that a series lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// How many.
    pub candles: i64,
    /// How many the series had.
    pub of: i64,
    /// The first of them.
    pub first: CandleTime,
    /// The last of them.
    pub last: CandleTime,
}

/// Times of real candles that go, in ascending order, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Going {
    candles: i64,
    span: Option<(CandleTime, CandleTime)>,
}

impl Going {
    /// Counts one more.
    pub fn add(&mut self, time: CandleTime) {
        self.candles += 1;
        self.span = Some((self.span.map_or(time, |(first, _)| first), time));
    }
}

const REAL: &str = "select count(*) from candles
    where symbol = $2 and interval = $3 and not is_filled and $1::bigint is not null";

/// What the series is about to lose; to be asked before anything is written.
pub async fn about_to(
    database: &mut PgConnection,
    claim: Claim<'_>,
    going: Going,
) -> Result<Option<Lost>, DatabaseError> {
    let Some((first, last)) = going.span else { return Ok(None) };
    let row = claim.bound(REAL).fetch_one(database).await.during("count the candles of the series")?;
    Ok(Some(Lost { candles: going.candles, of: row.get(0), first, last }))
}

const CREATE: &str =
    "create temporary table touched (time timestamptz not null, was_real boolean not null) on commit drop";

/// Only these can change: the object's own candles, and those at times that it claims now, whoever has them.
const TOUCHED: &str = "insert into touched
    select time, bool_or(is_real) from (
        select time, not is_filled as is_real from candles where symbol = $2 and interval = $3 and object_id = $1
        union all
        select s.time, not coalesce(c.is_filled, true)
            from staging s left join candles c on c.symbol = $2 and c.interval = $3 and c.time = s.time) t
    group by time";

/// Notes which candles a merge of what is staged may touch, before it does.
pub async fn watch(database: &mut PgConnection, claim: Claim<'_>) -> Result<(), DatabaseError> {
    sqlx::query(CREATE).execute(&mut *database).await.during("create the table of touched candles")?;
    claim.bound(TOUCHED).execute(database).await.during("note the touched candles").map(|_| ())
}

const FOUND: &str = "select count(*),
        extract(epoch from min(time))::bigint, extract(epoch from max(time))::bigint,
        (select count(*) from touched where was_real)
    from touched t where was_real and $1::bigint is not null and not exists (
        select from candles c where c.symbol = $2 and c.interval = $3 and c.time = t.time and not c.is_filled)";

const UNTOUCHED: &str = "select count(*) from candles c
    where symbol = $2 and interval = $3 and not is_filled and $1::bigint is not null
        and not exists (select from touched t where t.time = c.time)";

/// What the series lost by the merge, of what was noted before.
pub async fn found(database: &mut PgConnection, claim: Claim<'_>) -> Result<Option<Lost>, DatabaseError> {
    let row = claim.bound(FOUND).fetch_one(&mut *database).await.during("look for lost candles")?;
    let time = |column: usize| row.get::<Option<i64>, _>(column).map(CandleTime::from_seconds);
    let Some((first, last)) = time(1).zip(time(2)) else { return Ok(None) };
    let untouched = claim.bound(UNTOUCHED).fetch_one(database).await.during("count the candles of the series")?;
    let of = row.get::<i64, _>(3) + untouched.get::<i64, _>(0);
    Ok(Some(Lost { candles: row.get(0), of, first, last }))
}

const NOTE: &str = "insert into lost_candles (object_id, source, raw_key, raw_etag, raw_etag_before, candles, of_candles,
        first_time, last_time, lost_at)
    select id, $2, $3, $4, raw_etag, $5, $6, to_timestamp($7), to_timestamp($8), to_timestamp($9) from objects where id = $1";

/// Writes down what a version took away. The ledger must still say which version was there before.
pub async fn note(
    database: &mut PgConnection,
    entry: &Entry,
    version: &Version<'_>,
    lost: Lost,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let query = sqlx::query(NOTE)
        .bind(entry.id)
        .bind(version.origin.and_then(|origin| origin.source.as_ref()))
        .bind(version.origin.map(|origin| &origin.raw_key))
        .bind(version.origin.map(|origin| &origin.raw_etag))
        .bind(lost.candles)
        .bind(lost.of)
        .bind(lost.first.seconds() as f64)
        .bind(lost.last.seconds() as f64)
        .bind(now.as_microsecond() as f64 / 1e6);
    query.execute(database).await.during("note the lost candles").map(|_| ())
}
