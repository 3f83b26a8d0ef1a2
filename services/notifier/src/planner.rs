//! Plans notifications for the open alerts and puts those that are due into the outbox, in one transaction.

use anyhow::Context;
use jiff::Timestamp;
use rand::Rng;
use sqlx::PgPool;

use crate::plan::{Pace, Plan, plan};
use crate::{alerts, message, outbox};

/// Puts the notifications that are due into the outbox and records them in the alerts. Returns when to plan again if nothing
/// happens before.
///
/// Both are committed together, so a crash neither loses nor duplicates a notification. Without a channel nothing is sent,
/// and the alerts wait in the table until there is one.
pub async fn queue_due(
    pool: &PgPool,
    channels: &[String],
    pace: &Pace,
    now: Timestamp,
) -> anyhow::Result<Option<Timestamp>> {
    if channels.is_empty() {
        return Ok(None);
    }
    let mut transaction = pool.begin().await.context("begin a transaction")?;
    alerts::lock(&mut transaction).await.context("lock the alerts")?;
    let open = alerts::open(&mut transaction).await?;
    let candidates: Vec<_> = open.iter().map(alerts::KnownAlert::candidate).collect();
    let Plan { due, next } = plan(&candidates, now, pace);
    for due in &due {
        let name = format!("alert-{:032x}", rand::rng().random::<u128>());
        let message = message::compose(due, &open, &name);
        outbox::put(&mut transaction, channels, &message, now).await.context("fill the outbox")?;
        alerts::record_notified(&mut transaction, due, now).await.context("record the notification")?;
        tracing::info!(name, "queued a notification: {}", message.subject);
    }
    transaction.commit().await.context("commit")?;
    Ok(next)
}
