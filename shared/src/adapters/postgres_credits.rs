//! Records the API credits of a day in PostgreSQL.

use jiff::civil::Date;
use sqlx::PgPool;

use crate::adapters::database::{DatabaseError, DbContext, ToSqlx};

/// The credits of a day, and the limits that apply to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCredits {
    /// The day, in UTC.
    pub day: Date,
    /// How many are spent, by anybody who uses the account.
    pub used: u32,
    /// How many may be spent in a day; `None` if the plan has no limit.
    pub per_day: Option<u32>,
    /// How many may be spent in a minute; `None` if the plan has no limit.
    pub per_minute: Option<u32>,
}

/// A process that has just started may know of fewer than one before it.
const RECORD: &str = "insert into credits (day, used, per_day, per_minute) values ($1, $2, $3, $4)
    on conflict (day) do update set used = greatest(credits.used, excluded.used), per_day = excluded.per_day,
        per_minute = excluded.per_minute";

/// Records credits in a database.
#[derive(Clone, Debug)]
pub struct PostgresCredits {
    pool: PgPool,
}

impl PostgresCredits {
    /// Records credits in the database of this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Records the credits of a day.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is down or rejects the statement.
    pub async fn record(&self, credits: DayCredits) -> Result<(), DatabaseError> {
        let query = sqlx::query(RECORD)
            .bind(credits.day.to_sqlx())
            .bind(i64::from(credits.used))
            .bind(credits.per_day.map(i64::from))
            .bind(credits.per_minute.map(i64::from));
        query.execute(&self.pool).await.db_context("record the credits").map(|_| ())
    }
}
