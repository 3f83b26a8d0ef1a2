//! The outbox: notifications are stored in the database until they are sent, so that a crash loses none.
//!
//! A sender claims a delivery by postponing its next attempt. Meanwhile no other sender takes it, and if the claimer dies,
//! the delivery is sent after the claim has expired. A message is therefore sent at least once, and twice only if a crash
//! happens after the channel accepted it and before that is recorded. Both copies have the same name.

use std::time::Duration;

use candlewick_shared::adapters::database::{SqlTimestamp, ToSqlx};
use candlewick_shared::runtime::backoff::Backoff;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, PgPool};

use crate::message::Notice;

/// How long a claim lasts: longer than any channel or sink takes to answer.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(120);

const RETRY: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(3600) };

/// A delivery is given up after so many attempts, which take about six hours.
pub const MOST_ATTEMPTS: i32 = 16;

/// A claimed delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxDelivery {
    pub id: i64,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    pub message: Notice,
}

/// What happens after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAttempt {
    /// The next attempt is at this time.
    Again(Timestamp),
    GivenUp,
}

/// Adds a message to the outbox, as one delivery per channel. A message whose name is there already changes nothing.
pub async fn put(
    database: &mut PgConnection,
    channels: &[String],
    message: &Notice,
    now: Timestamp,
) -> sqlx::Result<()> {
    let query = "insert into alert_deliveries (channel, name, subject, body, payload, queued_at, next_at)
        select channel, $2, $3, $4, $5, $6, $6 from unnest($1::text[]) channel
        on conflict do nothing";
    let query = sqlx::query(query)
        .bind(channels)
        .bind(&message.name)
        .bind(&message.subject)
        .bind(&message.body)
        .bind(&message.payload)
        .bind(now.to_sqlx());
    query.execute(database).await.map(|_| ())
}

/// Whether no older message about the same kind and stage waits for the channel. Otherwise a retried "firing" could arrive
/// after its "resolved".
macro_rules! is_first_of_its_group {
    () => {
        "not exists (select from alert_deliveries older where older.channel = d.channel and older.id < d.id
            and older.sent_at is null and older.given_up_at is null
            and older.payload->>'kind' = d.payload->>'kind' and older.payload->>'stage' = d.payload->>'stage')"
    };
}

/// Claims a delivery of a channel that is due, if there is one.
pub async fn claim(pool: &PgPool, channel: &str, now: Timestamp) -> sqlx::Result<Option<OutboxDelivery>> {
    let query = concat!(
        "update alert_deliveries set attempts = attempts + 1, next_at = $3
        where id = (select id from alert_deliveries d
            where channel = $1 and sent_at is null and given_up_at is null and next_at <= $2 and ",
        is_first_of_its_group!(),
        " order by id limit 1 for update skip locked)
        returning id, attempts, name, subject, body, payload"
    );
    let until = now.saturating_add(CLAIM).unwrap_or(Timestamp::MAX);
    let query = sqlx::query_as::<_, DeliveryRow>(query).bind(channel).bind(now.to_sqlx()).bind(until.to_sqlx());
    Ok(query.fetch_optional(pool).await?.map(DeliveryRow::delivery))
}

#[derive(FromRow)]
struct DeliveryRow {
    id: i64,
    attempts: i32,
    name: String,
    subject: String,
    body: String,
    payload: Value,
}

impl DeliveryRow {
    fn delivery(self) -> OutboxDelivery {
        let Self { id, attempts, name, subject, body, payload } = self;
        OutboxDelivery { id, attempt: attempts, message: Notice { name, subject, body, payload } }
    }
}

/// When the next delivery of a channel is due; `None` if none waits.
pub async fn next_due(pool: &PgPool, channel: &str) -> sqlx::Result<Option<Timestamp>> {
    let query = concat!(
        "select min(next_at) from alert_deliveries d
        where channel = $1 and sent_at is null and given_up_at is null and ",
        is_first_of_its_group!()
    );
    let next: Option<SqlTimestamp> = sqlx::query_scalar(query).bind(channel).fetch_one(pool).await?;
    Ok(next.map(SqlTimestamp::to_jiff))
}

pub async fn record_sent(pool: &PgPool, delivery: &OutboxDelivery, now: Timestamp) -> sqlx::Result<()> {
    let query = "update alert_deliveries set sent_at = $2, error = null where id = $1";
    sqlx::query(query).bind(delivery.id).bind(now.to_sqlx()).execute(pool).await.map(|_| ())
}

/// Records that an attempt failed, and schedules the next one unless it was the last.
pub async fn record_failure(
    pool: &PgPool,
    delivery: &OutboxDelivery,
    error: &str,
    now: Timestamp,
) -> sqlx::Result<NextAttempt> {
    let fate = fate(delivery.attempt, now);
    let (next, given_up) = match fate {
        NextAttempt::Again(at) => (at, None),
        NextAttempt::GivenUp => (now, Some(now.to_sqlx())),
    };
    let query = "update alert_deliveries set error = $2, next_at = $3,
        given_up_at = $4 where id = $1";
    sqlx::query(query).bind(delivery.id).bind(error).bind(next.to_sqlx()).bind(given_up).execute(pool).await?;
    Ok(fate)
}

fn fate(attempt: i32, now: Timestamp) -> NextAttempt {
    if attempt >= MOST_ATTEMPTS {
        return NextAttempt::GivenUp;
    }
    NextAttempt::Again(next_attempt(&RETRY, attempt, now))
}

/// How long it is until a time; nothing if it is over.
pub fn until(next: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(now)).unwrap_or_default()
}

/// When an attempt is made after the failed one with this number, from 1.
pub fn next_attempt(retry: &Backoff, failed: i32, now: Timestamp) -> Timestamp {
    let wait = SignedDuration::try_from(retry.wait(failed.unsigned_abs())).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// How many deliveries were given up within the last day or have been failing for more than an hour.
pub async fn count_undelivered(pool: &PgPool, now: Timestamp) -> sqlx::Result<i64> {
    let query = "select count(*) from alert_deliveries
        where given_up_at > $1::timestamptz - interval '1 day'
           or sent_at is null and given_up_at is null and queued_at < $1::timestamptz - interval '1 hour'";
    sqlx::query_scalar(query).bind(now.to_sqlx()).fetch_one(pool).await
}

/// Deletes deliveries that were sent or given up, events that were received, and alerts that were over more than thirty days
/// ago.
pub async fn delete_old(pool: &PgPool, now: Timestamp) -> sqlx::Result<()> {
    for query in [
        "delete from alert_deliveries where coalesce(sent_at, given_up_at) < $1::timestamptz - interval '30 days'",
        "delete from alert_events where received_at < $1::timestamptz - interval '30 days'",
        "delete from alerts where state = 'resolved' and told_state is distinct from 'firing'
            and changed_at < $1::timestamptz - interval '30 days'",
    ] {
        sqlx::query(query).bind(now.to_sqlx()).execute(pool).await?;
    }
    Ok(())
}
