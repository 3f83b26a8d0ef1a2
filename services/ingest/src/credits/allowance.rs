//! What one message may spend.

use crate::credits::budget::Closed;
use crate::credits::pool::{Credit, CreditPool};

/// The credits of one message: the one that it came with, and others as there are any.
pub struct Allowance {
    first: Option<Credit>,
    pool: CreditPool,
}

impl Allowance {
    /// The credit that a message came with, if it did, and more from a pool.
    pub fn new(first: Option<Credit>, pool: CreditPool) -> Self {
        Self { first, pool }
    }

    /// A credit to begin something with. Where there is none the message goes back to its queue, so that others have
    /// their turn.
    pub fn begin(&mut self) -> Result<Credit, Closed> {
        self.first.take().map_or_else(|| self.pool.try_take(), Ok)
    }

    /// A credit to finish something with that was begun: it is waited for, because what was fetched so far would be lost.
    pub async fn go_on(&mut self) -> Result<Credit, Closed> {
        match self.first.take() {
            Some(credit) => Ok(credit),
            None => self.pool.take().await,
        }
    }

    /// Who keeps the budget.
    pub fn pool(&self) -> &CreditPool {
        &self.pool
    }
}
