//! The candles that a version of an object claims, and what loading them changed.

use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::key::{Series, TransformedKey};
use jiff::Timestamp;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use crate::failure::{SqlTimestamp, ToSqlx};

/// The candles that a version of an object claims.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The object's id in the objects ledger.
    pub object: i64,
    pub key: &'a TransformedKey,
    /// When the object's raw object was written. It decides which of two objects is newer.
    pub raw_written: Timestamp,
    pub before: Before,
    /// In ascending order of time.
    pub candles: &'a [Candle],
}

/// What the table has of an object before a version of it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    Nothing,
    OtherVersion,
    /// The same candles: the same content was written again.
    SameContent,
}

/// How many candles loading a version changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub inserted: i64,
    pub updated: i64,
    /// Candles that were loaded already, or that a newer object provides.
    pub unchanged: i64,
    /// Candles that the previous version had and this one does not.
    pub removed: i64,
    pub lost: Option<Lost>,
    /// From this time on, all candles of the series were new.
    pub inserted_from: Option<SqlTimestamp>,
}

/// Real candles that the series no longer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    pub candles: i64,
    /// How many real candles the series had.
    pub of: i64,
    pub first: CandleTime,
    pub last: CandleTime,
}

impl Claim<'_> {
    /// Binds the object's id, symbol and interval as `$1` to `$3`.
    pub fn bound<'q>(&self, sql: &'static str) -> Query<'q, sqlx::Postgres, PgArguments> {
        let Series { symbol, interval } = &self.key.path.series;
        sqlx::query(sql).bind(self.object).bind(symbol.as_str().to_owned()).bind(interval.as_str())
    }

    /// Like [`Self::bound`], and binds when the raw object was written as `$4` and the object's key as `$5`.
    pub fn bound_with_age<'q>(&self, sql: &'static str) -> Query<'q, sqlx::Postgres, PgArguments> {
        self.bound(sql).bind(self.raw_written.to_sqlx()).bind(self.key.to_string())
    }
}
