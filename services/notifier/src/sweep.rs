//! Periodically looks for trouble that no service reports.

use anyhow::Context;
use candlewick_shared::ports::clock::Now;
use sqlx::PgConnection;

use crate::alerts::KnownAlert;
use crate::conditions::{Condition, Limits, changes, conditions};
use crate::facts::{Facts, OwnerLimits, Sources};
use crate::{alerts, losses, outbox};

#[derive(Clone)]
pub struct Sweep {
    pub sources: Sources,
    pub limits: Limits,
    /// The time of `CLOCK`, which may be simulated.
    pub now: Now,
    /// Wall-clock time.
    pub real_now: Now,
}

impl Sweep {
    /// Reads the facts once, and raises or resolves the alerts about them.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        let facts = self.sources.read().await?;
        let changes = self.record(&facts).await.context("record the alerts of the sweep")?;
        for Condition { stage, alert } in changes {
            tracing::info!(stage, kind = %alert.kind, state = alert.state.as_str(), "{}: {}", alert.subject, alert.text);
        }
        outbox::delete_old(&self.sources.pool, (self.real_now)()).await.context("delete old alerts and deliveries")
    }

    async fn record(&self, facts: &Facts) -> anyhow::Result<Vec<Condition>> {
        let now = (self.now)();
        let real_now = (self.real_now)();
        let wrong = conditions(facts, now, real_now, &self.limits);
        let mut transaction = self.sources.pool.begin().await?;
        alerts::lock(&mut transaction).await?;
        let open = alerts::open(&mut transaction).await?;
        let mut changes = changes(&open, facts, wrong, real_now);
        changes.extend(lost_candles(&mut transaction, &facts.rules, &open).await?);
        for Condition { stage, alert } in &changes {
            alerts::write(&mut transaction, stage, alert, now, real_now).await?;
        }
        transaction.commit().await?;
        Ok(changes)
    }
}

/// The alerts about lost candles. While the watchlist is invalid, the allowed share is unknown and the losses wait.
async fn lost_candles(
    database: &mut PgConnection,
    rules: &OwnerLimits,
    open: &[KnownAlert],
) -> anyhow::Result<Vec<Condition>> {
    let watchlist = match rules {
        OwnerLimits::Unknown => return Ok(Vec::new()),
        OwnerLimits::Defaults => None,
        OwnerLimits::Listed(watchlist) => Some(watchlist),
    };
    Ok(losses::alerts(&losses::take_unjudged(database).await?, watchlist, open))
}
