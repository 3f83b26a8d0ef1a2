//! From the staging table into the candles: what differs is touched, and nothing else.

use candlewick_shared::core::key::{Series, TransformedKey};
use jiff::Timestamp;
use sqlx::{PgConnection, Row};

use crate::failure::{DatabaseError, During};

/// What a version of an object changed in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Candles that were not there.
    pub inserted: i64,
    /// Candles that were there and said something else.
    pub updated: i64,
    /// Candles that were there already, or that a newer object has.
    pub unchanged: i64,
    /// Candles that this version has no more.
    pub removed: i64,
}

/// Whose rows are merged.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The object's id in the ledger.
    pub object: i64,
    /// Its key.
    pub key: &'a TransformedKey,
    /// When the raw object behind it was written.
    pub raw_written: Timestamp,
}

/// The objects of the series that are newer than this one, `$1` to `$4` being its id, when it was written, its key, and
/// the symbol. Of two objects that were written in the same second the one with the larger key counts as the newer, byte by
/// byte, so that every database says the same.
const NEWER: &str = "(other.raw_written, other.key collate \"C\") > (to_timestamp($2), $3)";

/// Merges the staging table into the candles of its series.
///
/// The series must be locked. Where two objects claim one candle, the newer object has it, and the older one's claim
/// waits in `shadowed_candles` until the newer gives it up.
///
/// # Errors
/// The database's.
pub async fn merge(database: &mut PgConnection, claim: Claim<'_>) -> Result<Counts, DatabaseError> {
    let total = count_staged(&mut *database).await?;
    let removed = remove_what_is_gone(&mut *database, claim).await?;
    if has_company(&mut *database, claim).await? {
        set_age(&mut *database, claim).await?;
        shadow(&mut *database, claim).await?;
        promote(&mut *database, &claim.key.path.series).await?;
    }
    let (inserted, updated) = write(database, claim).await?;
    Ok(Counts { inserted, updated, unchanged: total - inserted - updated, removed })
}

async fn count_staged(database: &mut PgConnection) -> Result<i64, DatabaseError> {
    sqlx::query_scalar("select count(*) from staging").fetch_one(database).await.during("count the staged candles")
}

/// Takes away the candles that the object had and has no more, and all that it claimed in vain: it claims anew.
async fn remove_what_is_gone(database: &mut PgConnection, claim: Claim<'_>) -> Result<i64, DatabaseError> {
    sqlx::query("delete from shadowed_candles where object_id = $1")
        .bind(claim.object)
        .execute(&mut *database)
        .await
        .during("withdraw shadowed claims")?;
    let gone = "delete from candles where object_id = $1 and not exists (select from staging where staging.time = candles.time)";
    let result = sqlx::query(gone).bind(claim.object).execute(database).await.during("remove candles that are gone")?;
    Ok(result.rows_affected() as i64)
}

/// Whether other objects have candles of this series; mostly none has, and the rest is simple.
async fn has_company(database: &mut PgConnection, claim: Claim<'_>) -> Result<bool, DatabaseError> {
    let Series { symbol, interval } = &claim.key.path.series;
    let query =
        "select exists (select from objects where symbol = $2 and interval = $3 and id <> $1 and etag is not null)";
    let query = sqlx::query_scalar(query).bind(claim.object).bind(symbol.as_str()).bind(interval.as_str());
    query.fetch_one(database).await.during("look for other objects of the series")
}

/// Says how old the claims are that are about to be made: heirs are chosen by it.
async fn set_age(database: &mut PgConnection, claim: Claim<'_>) -> Result<(), DatabaseError> {
    let query = sqlx::query("update objects set raw_written = to_timestamp($2) where id = $1")
        .bind(claim.object)
        .bind(claim.raw_written.as_microsecond() as f64 / 1e6);
    query.execute(database).await.during("say how old the claims are").map(|_| ())
}

/// Settles who has a candle that several objects claim: older owners' candles, and the own ones that a newer object
/// claims, become shadowed claims. The newer object need not have the candle yet: this one may have been the newest.
async fn shadow(database: &mut PgConnection, claim: Claim<'_>) -> Result<(), DatabaseError> {
    let own = format!(
        "with claims as (
            select time, object_id from candles where symbol = $4 and interval = $5
            union all select time, object_id from shadowed_candles where symbol = $4 and interval = $5),
        lost as (
            delete from staging using claims c, objects other
            where c.time = staging.time and other.id = c.object_id and other.id <> $1 and {NEWER}
            returning staging.*),
        given as (
            delete from candles c using lost
            where c.symbol = $4 and c.interval = $5 and c.time = lost.time and c.object_id = $1)
        insert into shadowed_candles
            select $4, $5, time, open, high, low, close, volume, is_filled, $1 from lost"
    );
    bound(&own, claim).execute(&mut *database).await.during("shadow claims that a newer object has")?;
    let others = "with lost as (
            delete from candles c using staging
            where c.symbol = $4 and c.interval = $5 and c.time = staging.time and c.object_id <> $1
                and $2::float8 is not null and $3::text is not null
            returning c.*)
        insert into shadowed_candles select * from lost on conflict do nothing";
    bound(others, claim).execute(database).await.during("shadow claims of older objects").map(|_| ())
}

fn bound<'q>(sql: &'q str, claim: Claim<'_>) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    let Series { symbol, interval } = &claim.key.path.series;
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
        .bind(claim.object)
        .bind(claim.raw_written.as_microsecond() as f64 / 1e6)
        .bind(claim.key.to_string())
        .bind(symbol.as_str().to_owned())
        .bind(interval.as_str())
}

/// Gives each time of the series that nobody has any more to the newest object that still claims it.
async fn promote(database: &mut PgConnection, series: &Series) -> Result<(), DatabaseError> {
    let heirs = "with heirs as (
            select distinct on (s.time) s.* from shadowed_candles s join objects o on o.id = s.object_id
            where s.symbol = $1 and s.interval = $2
                and not exists (select from candles c where c.symbol = $1 and c.interval = $2 and c.time = s.time)
                and not exists (select from staging where staging.time = s.time)
            order by s.time, o.raw_written desc, o.key collate \"C\" desc),
        taken as (
            delete from shadowed_candles s using heirs h
            where s.symbol = $1 and s.interval = $2 and s.time = h.time and s.object_id = h.object_id)
        insert into candles select * from heirs";
    let query = sqlx::query(heirs).bind(series.symbol.as_str()).bind(series.interval.as_str());
    query.execute(database).await.during("promote shadowed claims").map(|_| ())
}

const WRITE: &str = "with written as (
        insert into candles (symbol, interval, time, open, high, low, close, volume, is_filled, object_id)
            select $2, $3, time, open, high, low, close, volume, is_filled, $1 from staging
        on conflict (symbol, interval, time) do update set open = excluded.open, high = excluded.high,
            low = excluded.low, close = excluded.close, volume = excluded.volume, is_filled = excluded.is_filled,
            object_id = excluded.object_id
        where (candles.open, candles.high, candles.low, candles.close, candles.volume, candles.is_filled, candles.object_id)
            is distinct from (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume,
                excluded.is_filled, excluded.object_id)
        returning xmax = 0 as is_new)
    select count(*) filter (where is_new), count(*) filter (where not is_new) from written";

/// Writes what is left in the staging table; rows that are there already and say the same are not touched.
async fn write(database: &mut PgConnection, claim: Claim<'_>) -> Result<(i64, i64), DatabaseError> {
    let Series { symbol, interval } = &claim.key.path.series;
    let query = sqlx::query(WRITE).bind(claim.object).bind(symbol.as_str()).bind(interval.as_str());
    let row = query.fetch_one(database).await.during("write candles")?;
    Ok((row.get(0), row.get(1)))
}
