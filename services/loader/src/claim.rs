//! What an object claims, and by which of three ways it comes into the table.

use candlewick_shared::core::candle::Candle;
use candlewick_shared::core::key::{Series, TransformedKey};
use jiff::Timestamp;
use sqlx::PgConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use crate::failure::{DatabaseError, During};
use crate::lost::Lost;
use crate::{alone, merge};

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
    /// Real candles that the series has no more.
    pub lost: Option<Lost>,
}

/// The candles that a version of an object claims.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The object's id in the ledger.
    pub object: i64,
    pub key: &'a TransformedKey,
    /// When the raw object behind it was written.
    pub raw_written: Timestamp,
    /// What the table has of the object.
    pub before: Before,
    /// The candles, ascending.
    pub candles: &'a [Candle],
}

/// What the table has of an object before a version of it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// No candle.
    Nothing,
    /// Candles of another version.
    Another,
    /// Just these candles: the same content was written again.
    TheSame,
}

/// Brings the table to what an object claims. The series must be locked.
pub async fn settle(database: &mut PgConnection, claim: Claim<'_>) -> Result<Counts, DatabaseError> {
    if has_company(&mut *database, claim).await? {
        return merge::merge(database, claim).await;
    }
    match claim.before {
        Before::Nothing => alone::fill(database, claim).await,
        Before::Another => alone::replace(database, claim).await,
        Before::TheSame => Ok(Counts { unchanged: claim.candles.len() as i64, ..Counts::default() }),
    }
}

/// Whether another object of the series has candles within the span of this one, be it that of its old or its new version.
const HAS_COMPANY: &str = "select exists (
    select from objects own join objects other on other.symbol = own.symbol and other.interval = own.interval
    where own.id = $1 and other.id <> own.id and other.etag is not null
        and other.first_time <= greatest(own.last_time, to_timestamp($3))
        and other.last_time >= least(own.first_time, to_timestamp($2)))";

/// Mostly there is none: the months of a series touch, and do not overlap. Alone, nothing needs to be settled.
async fn has_company(database: &mut PgConnection, claim: Claim<'_>) -> Result<bool, DatabaseError> {
    let seconds = |candle: &Candle| candle.time.seconds() as f64;
    let query = sqlx::query_scalar(HAS_COMPANY)
        .bind(claim.object)
        .bind(claim.candles.first().map(seconds))
        .bind(claim.candles.last().map(seconds));
    query.fetch_one(database).await.during("look for other objects of the series")
}

impl Claim<'_> {
    /// A statement of which `$1` to `$3` are the object's id, its symbol and its interval.
    pub fn bound<'q>(&self, sql: &'static str) -> Query<'q, sqlx::Postgres, PgArguments> {
        let Series { symbol, interval } = &self.key.path.series;
        sqlx::query(sql).bind(self.object).bind(symbol.as_str().to_owned()).bind(interval.as_str())
    }

    /// The same, of which `$4` and `$5` are also when the raw object was written and the object's key.
    pub fn bound_with_age<'q>(&self, sql: &'static str) -> Query<'q, sqlx::Postgres, PgArguments> {
        self.bound(sql).bind(self.raw_written.as_microsecond() as f64 / 1e6).bind(self.key.to_string())
    }
}
