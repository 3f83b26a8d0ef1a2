//! Loads a claim by the cheapest of three ways.

use candlewick_shared::core::candle::Candle;
use sqlx::PgConnection;

use crate::claim::{Before, Claim, Counts};
use crate::failure::{DatabaseError, DbContext, ToSqlx};
use crate::{exclusive, merge};

/// Updates the table to what an object claims. The caller must hold the lock of the series.
pub async fn settle(database: &mut PgConnection, claim: Claim<'_>) -> Result<Counts, DatabaseError> {
    if overlaps_another_object(&mut *database, claim).await? {
        return merge::merge(database, claim).await;
    }
    match claim.before {
        Before::Nothing => exclusive::insert(database, claim).await,
        Before::OtherVersion => exclusive::replace(database, claim).await,
        Before::SameContent => Ok(Counts { unchanged: claim.candles.len() as i64, ..Counts::default() }),
    }
}

/// Whether another object of the series has candles within the time span of this one's old or new version.
const OVERLAPS_ANOTHER_OBJECT: &str = "select exists (
    select from objects own join objects other on other.symbol = own.symbol and other.interval = own.interval
    where own.id = $1 and other.id <> own.id and other.etag is not null
        and other.first_time <= greatest(own.last_time, $3)
        and other.last_time >= least(own.first_time, $2))";

/// Rarely true: the months of a series touch and do not overlap. An object that overlaps no other needs no merge.
async fn overlaps_another_object(database: &mut PgConnection, claim: Claim<'_>) -> Result<bool, DatabaseError> {
    let time = |candle: &Candle| candle.time.timestamp().map(ToSqlx::to_sqlx);
    let query = sqlx::query_scalar(OVERLAPS_ANOTHER_OBJECT)
        .bind(claim.object)
        .bind(claim.candles.first().and_then(time))
        .bind(claim.candles.last().and_then(time));
    query.fetch_one(database).await.db_context("look for overlapping objects")
}
