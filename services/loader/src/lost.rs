//! Real candles that a load takes from a series, because they are removed or replaced by filled ones.
//!
//! The ledger's `rows_removed` is not that number: removing a filled candle is no loss, nor is removing one that another
//! object of the series still has, and a real candle that becomes a filled one is lost without being removed.

use candlewick_shared::core::candle::CandleTime;
use jiff::Timestamp;
use sqlx::{PgConnection, Row};

use crate::claim::{Claim, Lost};
use crate::failure::{DatabaseError, DbContext, SqlTimestamp, ToSqlx};
use crate::ledger::{Entry, Version};

/// Counts real candles that are about to be lost, in ascending order of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossTally {
    candles: i64,
    span: Option<(CandleTime, CandleTime)>,
}

impl LossTally {
    pub fn add(&mut self, time: CandleTime) {
        self.candles += 1;
        self.span = Some((self.span.map_or(time, |(first, _)| first), time));
    }
}

const REAL: &str = "select count(*) from candles
    where symbol = $2 and interval = $3 and not is_filled and $1::bigint is not null";

/// What the series is about to lose. Must be called before anything is written.
pub async fn before_replacing(
    database: &mut PgConnection,
    claim: Claim<'_>,
    tally: LossTally,
) -> Result<Option<Lost>, DatabaseError> {
    let Some((first, last)) = tally.span else { return Ok(None) };
    let row = claim.bound(REAL).fetch_one(database).await.db_context("count the candles of the series")?;
    Ok(Some(Lost { candles: tally.candles, of: row.get(0), first, last }))
}

const CREATE: &str =
    "create temporary table touched (time timestamptz not null, was_real boolean not null) on commit drop";

/// Only these rows can change: the object's own candles, and candles of any object at the times that it claims now.
const TOUCHED: &str = "insert into touched
    select time, bool_or(is_real) from (
        select time, not is_filled as is_real from candles where symbol = $2 and interval = $3 and object_id = $1
        union all
        select s.time, not coalesce(c.is_filled, true)
            from staging s left join candles c on c.symbol = $2 and c.interval = $3 and c.time = s.time) t
    group by time";

/// Records which candles a merge of the staged ones may change. Must be called before the merge.
pub async fn record_touched(database: &mut PgConnection, claim: Claim<'_>) -> Result<(), DatabaseError> {
    sqlx::query(CREATE).execute(&mut *database).await.db_context("create the table of touched candles")?;
    claim.bound(TOUCHED).execute(database).await.db_context("record the touched candles").map(|_| ())
}

const LOST: &str = "select count(*), min(time), max(time), (select count(*) from touched where was_real)
    from touched t where was_real and $1::bigint is not null and not exists (
        select from candles c where c.symbol = $2 and c.interval = $3 and c.time = t.time and not c.is_filled)";

const UNTOUCHED: &str = "select count(*) from candles c
    where symbol = $2 and interval = $3 and not is_filled and $1::bigint is not null
        and not exists (select from touched t where t.time = c.time)";

/// Which of the recorded candles the series lost by the merge.
pub async fn after_merge(database: &mut PgConnection, claim: Claim<'_>) -> Result<Option<Lost>, DatabaseError> {
    let row = claim.bound(LOST).fetch_one(&mut *database).await.db_context("look for lost candles")?;
    let time = |column: usize| {
        row.get::<Option<SqlTimestamp>, _>(column).map(|time| CandleTime::from_seconds(time.to_jiff().as_second()))
    };
    let Some((first, last)) = time(1).zip(time(2)) else { return Ok(None) };
    let untouched = claim.bound(UNTOUCHED).fetch_one(database).await.db_context("count the candles of the series")?;
    let of = row.get::<i64, _>(3) + untouched.get::<i64, _>(0);
    Ok(Some(Lost { candles: row.get(0), of, first, last }))
}

const RECORD: &str =
    "insert into lost_candles (object_id, source, raw_key, raw_etag, raw_etag_before, candles, of_candles,
        first_time, last_time, lost_at)
    select id, $2, $3, $4, raw_etag, $5, $6, $7, $8, $9 from objects where id = $1";

/// Records the loss. Must be called while the ledger still has the previous version.
pub async fn record(
    database: &mut PgConnection,
    entry: &Entry,
    version: &Version<'_>,
    lost: Lost,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let query = sqlx::query(RECORD)
        .bind(entry.id)
        .bind(version.origin.and_then(|origin| origin.source.as_ref()))
        .bind(version.origin.map(|origin| &origin.raw_key))
        .bind(version.origin.map(|origin| &origin.raw_etag))
        .bind(lost.candles)
        .bind(lost.of)
        .bind(lost.first.timestamp().map(ToSqlx::to_sqlx))
        .bind(lost.last.timestamp().map(ToSqlx::to_sqlx))
        .bind(now.to_sqlx());
    query.execute(database).await.db_context("record the lost candles").map(|_| ())
}
