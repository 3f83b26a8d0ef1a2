//! Looks for what nobody says: at how things are, again and again.

use anyhow::Context;
use candlewick_shared::ports::clock::Now;
use sqlx::PgConnection;

use crate::alerts::Known;
use crate::conditions::{Condition, Limits, changes, conditions};
use crate::facts::{Facts, Rules, Sources};
use crate::{alerts, losses, outbox};

/// Looks at how things are, and writes down what is wrong and what is well again.
#[derive(Clone)]
pub struct Sweep {
    /// Where facts come from.
    pub sources: Sources,
    /// What is judged by.
    pub limits: Limits,
    /// Candlewick's time.
    pub now: Now,
    /// The machine's time.
    pub real_now: Now,
}

impl Sweep {
    /// Sweeps once.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        let facts = self.sources.look().await?;
        let changes = self.write(&facts).await.context("write down what is wrong")?;
        for Condition { stage, alert } in changes {
            tracing::info!(stage, kind = %alert.kind, state = alert.state.as_str(), "{}: {}", alert.subject, alert.text);
        }
        outbox::forget(&self.sources.pool, (self.real_now)()).await.context("forget what is long past")
    }

    async fn write(&self, facts: &Facts) -> anyhow::Result<Vec<Condition>> {
        let now = (self.now)();
        let real_now = (self.real_now)();
        let wrong = conditions(facts, now, &self.limits);
        let mut transaction = self.sources.pool.begin().await?;
        alerts::lock(&mut transaction).await?;
        let open = alerts::open(&mut transaction).await?;
        let mut changes = changes(&open, facts, wrong, real_now);
        changes.extend(lost(&mut transaction, &facts.rules, &open).await?);
        for Condition { stage, alert } in &changes {
            alerts::write(&mut transaction, stage, alert, now, real_now).await?;
        }
        transaction.commit().await?;
        Ok(changes)
    }
}

/// What is to be told of lost candles. While nobody knows how much the owner allows, the losses wait.
async fn lost(database: &mut PgConnection, rules: &Rules, open: &[Known]) -> anyhow::Result<Vec<Condition>> {
    let watchlist = match rules {
        Rules::Unknown => return Ok(Vec::new()),
        Rules::Usual => None,
        Rules::Listed(watchlist) => Some(watchlist),
    };
    Ok(losses::alerts(&losses::take(database).await?, watchlist, open))
}
