//! The outbox: what is to be sent stands in the database, so that a crash loses nothing.
//!
//! A delivery is claimed before it is sent, by moving its next attempt on: nobody else sends it meanwhile, and where the
//! claimer dies, it is sent again after the claim. So a message is sent at least once, and twice only where the crash falls
//! between a channel's yes and the note of it; both copies then have the same name.

use std::time::Duration;

use candlewick_shared::adapters::database::{SqlTimestamp, ToSqlx};
use candlewick_shared::runtime::backoff::Backoff;
use jiff::{SignedDuration, Timestamp};
use sqlx::{PgConnection, PgPool, Row};

use crate::message::Message;

/// How long a claim keeps others away: longer than any channel takes to answer.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(120);

/// How long a delivery waits after a failed attempt.
const RETRY: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(3600) };

/// After how many attempts a delivery is given up: some six hours.
pub const MOST_ATTEMPTS: i32 = 16;

/// A delivery in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: i64,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// What to send.
    pub message: Message,
}

/// What became of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is tried again at this time.
    Again(Timestamp),
    /// It is given up.
    GivenUp,
}

/// Puts a message in the outbox, a delivery for each channel. A message whose name is known changes nothing.
pub async fn put(
    database: &mut PgConnection,
    channels: &[String],
    message: &Message,
    now: Timestamp,
) -> sqlx::Result<()> {
    let query = "insert into alert_deliveries (channel, name, subject, body, payload, queued_at, next_at)
        select channel, $2, $3, $4, $5, $6, $6 from unnest($1) channel
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

/// Whether nothing older about the same kind and stage still waits for the channel. A retried "it is wrong" would otherwise
/// arrive after "it is well again", and be believed.
macro_rules! is_first_of_its_group {
    () => {
        "not exists (select from alert_deliveries older where older.channel = d.channel and older.id < d.id
            and older.sent_at is null and older.given_up_at is null
            and older.payload->>'kind' = d.payload->>'kind' and older.payload->>'stage' = d.payload->>'stage')"
    };
}

/// Claims a delivery of a channel that is due; none where none is.
pub async fn claim(pool: &PgPool, channel: &str, now: Timestamp) -> sqlx::Result<Option<Delivery>> {
    let query = concat!(
        "update alert_deliveries set attempts = attempts + 1, next_at = $3
        where id = (select id from alert_deliveries d
            where channel = $1 and sent_at is null and given_up_at is null and next_at <= $2 and ",
        is_first_of_its_group!(),
        " order by id limit 1 for update skip locked)
        returning id, attempts, name, subject, body, payload"
    );
    let until = now.saturating_add(CLAIM).unwrap_or(Timestamp::MAX);
    let query = sqlx::query(query).bind(channel).bind(now.to_sqlx()).bind(until.to_sqlx());
    let row = query.fetch_optional(pool).await?;
    row.map(|row| {
        let name = row.try_get("name")?;
        let subject = row.try_get("subject")?;
        let body = row.try_get("body")?;
        let payload = row.try_get("payload")?;
        let message = Message { name, subject, body, payload };
        Ok(Delivery { id: row.try_get("id")?, attempt: row.try_get("attempts")?, message })
    })
    .transpose()
}

/// When the next delivery of a channel is due; none where none waits.
pub async fn next(pool: &PgPool, channel: &str) -> sqlx::Result<Option<Timestamp>> {
    let query = concat!(
        "select min(next_at) from alert_deliveries d
        where channel = $1 and sent_at is null and given_up_at is null and ",
        is_first_of_its_group!()
    );
    let next: Option<SqlTimestamp> = sqlx::query_scalar(query).bind(channel).fetch_one(pool).await?;
    Ok(next.map(SqlTimestamp::to_jiff))
}

/// Notes that a delivery was sent.
pub async fn sent(pool: &PgPool, delivery: &Delivery, now: Timestamp) -> sqlx::Result<()> {
    let query = "update alert_deliveries set sent_at = $2, error = null where id = $1";
    sqlx::query(query).bind(delivery.id).bind(now.to_sqlx()).execute(pool).await.map(|_| ())
}

/// Notes that an attempt failed, and when the next one is, if any.
pub async fn failed(pool: &PgPool, delivery: &Delivery, error: &str, now: Timestamp) -> sqlx::Result<Fate> {
    let fate = fate(delivery.attempt, now);
    let (next, given_up) = match fate {
        Fate::Again(at) => (at, None),
        Fate::GivenUp => (now, Some(now.to_sqlx())),
    };
    let query = "update alert_deliveries set error = $2, next_at = $3,
        given_up_at = $4 where id = $1";
    sqlx::query(query).bind(delivery.id).bind(error).bind(next.to_sqlx()).bind(given_up).execute(pool).await?;
    Ok(fate)
}

fn fate(attempt: i32, now: Timestamp) -> Fate {
    if attempt >= MOST_ATTEMPTS {
        return Fate::GivenUp;
    }
    let wait = RETRY.wait(attempt.unsigned_abs());
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    Fate::Again(now.saturating_add(wait).unwrap_or(Timestamp::MAX))
}

/// How many deliveries were given up since a time, or have been tried in vain for longer than an hour.
pub async fn troubles(pool: &PgPool, now: Timestamp) -> sqlx::Result<i64> {
    let query = "select count(*) from alert_deliveries
        where given_up_at > $1 - interval '1 day'
           or sent_at is null and given_up_at is null and queued_at < $1 - interval '1 hour'";
    sqlx::query_scalar(query).bind(now.to_sqlx()).fetch_one(pool).await
}

/// Forgets what was sent, or given up, and what was taken in, more than thirty days ago; and alerts that were over by then.
pub async fn forget(pool: &PgPool, now: Timestamp) -> sqlx::Result<()> {
    for query in [
        "delete from alert_deliveries where coalesce(sent_at, given_up_at) < $1 - interval '30 days'",
        "delete from alert_events where received_at < $1 - interval '30 days'",
        "delete from alerts where state = 'resolved' and told_state is distinct from 'firing'
            and changed_at < $1 - interval '30 days'",
    ] {
        sqlx::query(query).bind(now.to_sqlx()).execute(pool).await?;
    }
    Ok(())
}
