//! The deliveries of events that their sinks have not accepted yet (table `event_deliveries`).
//!
//! A relay claims a delivery by postponing its next attempt, like the outbox of alerts. An accepted delivery is deleted.
//! A delivery waits while an older one of its series does, and it is tried for as long as its load is kept.

use std::time::Duration;

use candlewick_shared::adapters::database::{DbTime, SqlTimestamp, ToSqlx};
use candlewick_shared::core::loaded_event::LoadedEvent;
use candlewick_shared::reads::loaded_events;
use candlewick_shared::runtime::backoff::Backoff;
use jiff::Timestamp;
use sqlx::{FromRow, PgConnection, PgPool};

use crate::outbox::{CLAIM, next_attempt};

/// The most deliveries that are claimed at once, each of another series.
const AT_ONCE: i64 = 16;

const RETRY: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(900) };

/// A claimed delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDelivery {
    pub load: i64,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    pub event: LoadedEvent,
}

/// Events that wait for a sink.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Waiting {
    pub sink: String,
    pub events: i64,
    /// Since when the oldest waits.
    pub since: DbTime,
    /// What was wrong with the newest failed attempt.
    pub error: Option<String>,
}

/// Registers the sinks. Events of loads from now on are delivered to them. What waits for a sink that is no longer among them
/// is deleted; returns how many deliveries that were.
pub async fn register(pool: &PgPool, sinks: &[&str]) -> sqlx::Result<i64> {
    let mut transaction = pool.begin().await?;
    let dropped = "select count(*) from event_deliveries where sink <> all($1)";
    let dropped: i64 = sqlx::query_scalar(dropped).bind(sinks).fetch_one(&mut *transaction).await?;
    for query in [
        "delete from event_sinks where name <> all($1)",
        "insert into event_sinks select unnest($1::text[]) on conflict do nothing",
    ] {
        sqlx::query(query).bind(sinks).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(dropped)
}

/// Whether no older event of the same series waits for the sink.
macro_rules! is_first_of_its_series {
    () => {
        "not exists (select from event_deliveries older where older.sink = d.sink and older.symbol = d.symbol
            and older.interval = d.interval and older.load_id < d.load_id)"
    };
}

const CLAIM_DUE: &str = concat!(
    "update event_deliveries set attempts = attempts + 1, next_at = $3
    where sink = $1 and load_id in (select load_id from event_deliveries d
        where sink = $1 and next_at <= $2 and ",
    is_first_of_its_series!(),
    " order by load_id limit $4 for update skip locked)
    returning load_id, attempts"
);

/// Claims deliveries of a sink that are due, at most one of each series.
pub async fn claim(pool: &PgPool, sink: &str, now: Timestamp) -> sqlx::Result<Vec<EventDelivery>> {
    let until = now.saturating_add(CLAIM).unwrap_or(Timestamp::MAX);
    let query = sqlx::query_as(CLAIM_DUE).bind(sink).bind(now.to_sqlx()).bind(until.to_sqlx()).bind(AT_ONCE);
    let claimed: Vec<(i64, i32)> = query.fetch_all(pool).await?;
    let loads: Vec<_> = claimed.iter().map(|(load, _)| *load).collect();
    let events = loaded_events::of_loads(pool, &loads).await?;
    let attempt = |load| claimed.iter().find(|(claimed, _)| *claimed == load).map_or(1, |(_, attempt)| *attempt);
    Ok(events.into_iter().map(|(load, event)| EventDelivery { load, attempt: attempt(load), event }).collect())
}

const NEXT_DUE: &str =
    concat!("select min(next_at) from event_deliveries d where sink = $1 and ", is_first_of_its_series!());

/// When the next delivery of a sink is due; `None` if none waits.
pub async fn next_due(pool: &PgPool, sink: &str) -> sqlx::Result<Option<Timestamp>> {
    let next: Option<SqlTimestamp> = sqlx::query_scalar(NEXT_DUE).bind(sink).fetch_one(pool).await?;
    Ok(next.map(SqlTimestamp::to_jiff))
}

pub async fn record_sent(pool: &PgPool, sink: &str, load: i64) -> sqlx::Result<()> {
    let query = "delete from event_deliveries where sink = $1 and load_id = $2";
    sqlx::query(query).bind(sink).bind(load).execute(pool).await.map(|_| ())
}

/// Records that an attempt failed, and returns when the next one is.
pub async fn record_failure(
    pool: &PgPool,
    sink: &str,
    delivery: &EventDelivery,
    error: &str,
    now: Timestamp,
) -> sqlx::Result<Timestamp> {
    let next = next_attempt(&RETRY, delivery.attempt, now);
    let query = "update event_deliveries set error = $3, next_at = $4 where sink = $1 and load_id = $2";
    let query = sqlx::query(query).bind(sink).bind(delivery.load).bind(error).bind(next.to_sqlx());
    query.execute(pool).await.map(|_| next)
}

const WAITING: &str = "select sink, count(*) as events, min(queued_at) as since,
        (array_agg(error order by attempts desc) filter (where error is not null))[1] as error
    from event_deliveries group by sink order by sink";

/// What waits for each sink.
pub async fn waiting(database: &mut PgConnection) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as(WAITING).fetch_all(database).await
}
