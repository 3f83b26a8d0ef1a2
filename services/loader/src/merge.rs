//! Loads an object whose time span overlaps other objects, changing only the rows that differ.
//!
//! If several objects claim one candle, the newest object owns it, but a claim of a real candle goes before every claim of a
//! filled one. The claims of the others are kept in `shadowed_candles` until the owner no longer claims it.

use sqlx::{PgConnection, Row};

use crate::claim::{Claim, Counts};
use crate::failure::{DatabaseError, DbContext, SqlTimestamp, ToSqlx};
use crate::{inserted, lost, staging};

/// Merges an object's candles into those of its series.
pub async fn merge(database: &mut PgConnection, claim: Claim<'_>) -> Result<Counts, DatabaseError> {
    staging::stage(&mut *database, claim.candles).await?;
    lost::record_touched(&mut *database, claim).await?;
    set_age(&mut *database, claim).await?;
    let removed = remove_missing(&mut *database, claim).await?;
    shadow(&mut *database, claim).await?;
    claim.bound(PROMOTE).execute(&mut *database).await.db_context("promote shadowed claims")?;
    let Written { inserted, updated, inserted_from } = write(&mut *database, claim).await?;
    let lost = lost::after_merge(database, claim).await?;
    let unchanged = claim.candles.len() as i64 - inserted - updated;
    Ok(Counts { inserted, updated, unchanged, removed, lost, inserted_from })
}

/// Records the age of the new claims, by which the heirs of a candle are chosen.
async fn set_age(database: &mut PgConnection, claim: Claim<'_>) -> Result<(), DatabaseError> {
    let query = sqlx::query("update objects set raw_written = $2 where id = $1")
        .bind(claim.object)
        .bind(claim.raw_written.to_sqlx());
    query.execute(database).await.db_context("record the age of the claims").map(|_| ())
}

/// Removes the candles that the object no longer has, and all its shadowed claims, which are made again.
async fn remove_missing(database: &mut PgConnection, claim: Claim<'_>) -> Result<i64, DatabaseError> {
    claim.bound(WITHDRAW).execute(&mut *database).await.db_context("withdraw shadowed claims")?;
    let result = claim.bound(REMOVE).execute(database).await.db_context("remove missing candles")?;
    Ok(result.rows_affected() as i64)
}

const WITHDRAW: &str = "delete from shadowed_candles where symbol = $2 and interval = $3 and object_id = $1";

const REMOVE: &str = "delete from candles where symbol = $2 and interval = $3 and object_id = $1
    and not exists (select from staging where staging.time = candles.time)";

/// Decides who owns a candle that several objects claim: own candles to which another object has a stronger claim become
/// shadowed claims, and then the candles of all others at the times that are left.
async fn shadow(database: &mut PgConnection, claim: Claim<'_>) -> Result<(), DatabaseError> {
    let own = claim.bound_with_age(SHADOW_OWN).execute(&mut *database).await;
    own.db_context("shadow claims that are weaker than another")?;
    claim.bound(SHADOW_OTHERS).execute(database).await.db_context("shadow weaker claims of other objects").map(|_| ())
}

/// A claim of a real candle is stronger than one of a filled candle, and of two of the same kind the newer one is. The
/// stronger claim does not necessarily own the candle yet: this object's may have been the strongest before. Of two objects written in the same second the one with the larger key is newer, compared by bytes so
/// that the result does not depend on the database's collation.
const SHADOW_OWN: &str = "with claims as (
        select time, object_id, is_filled from candles where symbol = $2 and interval = $3
        union all select time, object_id, is_filled from shadowed_candles where symbol = $2 and interval = $3),
    lost as (
        delete from staging using claims c, objects other
        where c.time = staging.time and other.id = c.object_id and other.id <> $1
            and (not c.is_filled, other.raw_written, other.key collate \"C\") > (not staging.is_filled, $4, $5)
        returning staging.*),
    given as (
        delete from candles c using lost
        where c.symbol = $2 and c.interval = $3 and c.time = lost.time and c.object_id = $1)
    insert into shadowed_candles
        select $2, $3, time, open, high, low, close, volume, is_filled, $1 from lost";

const SHADOW_OTHERS: &str = "with lost as (
        delete from candles c using staging
        where c.symbol = $2 and c.interval = $3 and c.time = staging.time and c.object_id <> $1
        returning c.*)
    insert into shadowed_candles select * from lost";

/// Gives each candle without an owner to the object with the strongest claim to it.
const PROMOTE: &str = "with heirs as (
        select distinct on (s.time) s.* from shadowed_candles s join objects o on o.id = s.object_id
        where s.symbol = $2 and s.interval = $3 and $1::bigint is not null
            and not exists (select from candles c where c.symbol = $2 and c.interval = $3 and c.time = s.time)
            and not exists (select from staging where staging.time = s.time)
        order by s.time, s.is_filled, o.raw_written desc, o.key collate \"C\" desc),
    taken as (
        delete from shadowed_candles s using heirs h
        where s.symbol = $2 and s.interval = $3 and s.time = h.time and s.object_id = h.object_id)
    insert into candles select * from heirs";

/// How many candles were inserted and how many updated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    pub inserted: i64,
    pub updated: i64,
    /// From this time on, all candles of the series were inserted.
    pub inserted_from: Option<SqlTimestamp>,
}

/// Writes the staged candles. Equal rows are filtered out first, because even a conflict would lock them, which is a write.
pub async fn write(database: &mut PgConnection, claim: Claim<'_>) -> Result<Written, DatabaseError> {
    let row = claim.bound(WRITE).fetch_one(&mut *database).await.db_context("write candles")?;
    let times: Vec<SqlTimestamp> = row.get(0);
    let inserted = times.len() as i64;
    let inserted_from = inserted::record_times(database, claim, times).await?;
    Ok(Written { inserted, updated: row.get(1), inserted_from })
}

const WRITE: &str = "with written as (
        insert into candles (symbol, interval, time, open, high, low, close, volume, is_filled, object_id)
            select $2, $3, s.time, s.open, s.high, s.low, s.close, s.volume, s.is_filled, $1
            from staging s left join candles c on c.symbol = $2 and c.interval = $3 and c.time = s.time
            where (c.open, c.high, c.low, c.close, c.volume, c.is_filled, c.object_id)
                is distinct from (s.open, s.high, s.low, s.close, s.volume, s.is_filled, $1)
        on conflict (symbol, interval, time) do update set open = excluded.open, high = excluded.high,
            low = excluded.low, close = excluded.close, volume = excluded.volume, is_filled = excluded.is_filled,
            object_id = excluded.object_id
        returning xmax = 0 as is_new, time)
    select coalesce(array_agg(time) filter (where is_new), '{}'), count(*) filter (where not is_new) from written";
