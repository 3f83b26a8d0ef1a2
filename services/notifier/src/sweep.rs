//! Looks for what nobody says: at how things are, again and again.

use anyhow::Context;
use candlewick_shared::ports::clock::Now;

use crate::conditions::{Condition, Limits, changes, conditions};
use crate::facts::{Facts, Sources};
use crate::{alerts, outbox};

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
    ///
    /// # Errors
    /// The first thing that does not answer, by name.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        let facts = self.sources.look().await?;
        let changes = self.write(&facts).await.context("write down what is wrong")?;
        for Condition { stage, alert } in changes {
            tracing::info!(stage, kind = %alert.kind, state = alert.state.as_str(), "{}: {}", alert.subject, alert.text);
        }
        outbox::forget(&self.sources.pool, (self.real_now)()).await.context("forget what is long past")
    }

    async fn write(&self, facts: &Facts) -> anyhow::Result<Vec<Condition>> {
        let (now, real_now) = ((self.now)(), (self.real_now)());
        let wrong = conditions(facts, now, &self.limits);
        let mut transaction = self.sources.pool.begin().await?;
        alerts::lock(&mut transaction).await?;
        let open = alerts::open(&mut transaction).await?;
        let changes = changes(&open, facts, wrong, real_now);
        for Condition { stage, alert } in &changes {
            alerts::write(&mut transaction, stage, alert, now, real_now).await?;
        }
        transaction.commit().await?;
        Ok(changes)
    }
}
