//! Reads what is open, has it planned, and puts what is due into the outbox: all of it in one transaction.

use anyhow::Context;
use jiff::Timestamp;
use rand::Rng;
use sqlx::PgPool;

use crate::plan::{Pace, Plan, plan};
use crate::{alerts, message, outbox};

/// Puts what is due into the outbox and notes that it is told. Returns when to look again, if nothing happens before.
///
/// That both commit together is what makes a message neither lost nor doubled by a crash. Where there is no channel, nothing
/// is told: the alerts wait in the table for the day there is one.
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
    let standing: Vec<_> = open.iter().map(alerts::Known::standing).collect();
    let Plan { due, next } = plan(&standing, now, pace);
    for due in &due {
        let name = format!("alert-{:032x}", rand::rng().random::<u128>());
        let message = message::of(due, &open, &name);
        outbox::put(&mut transaction, channels, &message, now).await.context("fill the outbox")?;
        alerts::tell(&mut transaction, due, now).await.context("note what is told")?;
        tracing::info!(name, "to be told: {}", message.subject);
    }
    transaction.commit().await.context("commit")?;
    Ok(next)
}
