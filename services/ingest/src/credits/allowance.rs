//! The credits that one message may spend.

use crate::credits::budget::Closed;
use crate::credits::pool::{Credit, CreditPool};

/// The credit that came with a message, if any, and access to the pool for more.
pub struct Allowance {
    first: Option<Credit>,
    pool: CreditPool,
}

impl Allowance {
    pub fn new(first: Option<Credit>, pool: CreditPool) -> Self {
        Self { first, pool }
    }

    /// Takes a credit for new work. On failure the message should go back to the queue, so that other messages have their turn.
    pub fn try_take(&mut self) -> Result<Credit, Closed> {
        self.first.take().map_or_else(|| self.pool.try_take(), Ok)
    }

    /// Takes a credit to continue work, and waits for the next minute if necessary: giving up would lose what was fetched so
    /// far.
    pub async fn take(&mut self) -> Result<Credit, Closed> {
        match self.first.take() {
            Some(credit) => Ok(credit),
            None => self.pool.take().await,
        }
    }

    pub fn pool(&self) -> &CreditPool {
        &self.pool
    }
}
