//! What one message may spend.

use crate::budget::Closed;
use crate::keeper::{Credit, Keeper};

/// The credits of one message: the one that it came with, and others as there are any.
pub struct Allowance {
    first: Option<Credit>,
    keeper: Keeper,
}

impl Allowance {
    /// The credit that a message came with, if it did, and more from a keeper.
    #[must_use]
    pub fn new(first: Option<Credit>, keeper: Keeper) -> Self {
        Self { first, keeper }
    }

    /// A credit to begin something with. Where there is none the message goes back to its queue, so that others have
    /// their turn.
    ///
    /// # Errors
    /// [`Closed`], where there is none now.
    pub fn begin(&mut self) -> Result<Credit, Closed> {
        self.first.take().map_or_else(|| self.keeper.try_take(), Ok)
    }

    /// A credit to finish something with that was begun: it is waited for, because what was fetched so far would be lost.
    ///
    /// # Errors
    /// [`Closed`], where the day's credits are used up.
    pub async fn go_on(&mut self) -> Result<Credit, Closed> {
        match self.first.take() {
            Some(credit) => Ok(credit),
            None => self.keeper.take().await,
        }
    }

    /// Who keeps the budget.
    #[must_use]
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }
}
