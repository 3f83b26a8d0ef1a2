//! Dead letters that this command received: hidden from others until they are given back or deleted.

use anyhow::Context;
use candlewick_shared::ports::queue::{BATCH, Queue};
use candlewick_shared::reads::dead_letters::{self, DeadLetter, LetterSummary};
use candlewick_shared::runtime::dead_letter;

use crate::place::Deployment;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends letters to the queue that they came from, then deletes them.
    SendBack,
    Delete,
}

/// Letters of one dead-letter queue, hidden from others for two minutes.
pub struct HeldLetters<'a> {
    deployment: &'a Deployment,
    role: &'a str,
    /// Oldest first.
    pub letters: Vec<DeadLetter>,
}

impl<'a> HeldLetters<'a> {
    /// Receives up to `most` letters that the queue with this role gave up.
    pub async fn receive(deployment: &'a Deployment, role: &'a str, most: usize) -> anyhow::Result<Self> {
        let letters = dead_letters::hold(&deployment.aws, &deployment.env, role, most).await?;
        Ok(Self { deployment, role, letters })
    }

    /// Splits them into the chosen ones and the others.
    pub fn partition(self, is_chosen: impl Fn(&DeadLetter) -> bool) -> (Self, Self) {
        let Self { deployment, role, letters } = self;
        let (chosen, others) = letters.into_iter().partition(is_chosen);
        (Self { deployment, role, letters: chosen }, Self { deployment, role, letters: others })
    }

    /// Gives all letters back, and returns their summaries.
    pub async fn give_back(self) -> anyhow::Result<Vec<LetterSummary>> {
        dead_letters::give_back(&self.deployment.aws, &self.deployment.env, self.role, self.letters.iter()).await?;
        Ok(self.letters.iter().map(DeadLetter::summary).collect())
    }

    /// Sends all letters back or deletes them, batch by batch, and returns their summaries. A letter that is sent back
    /// is deleted only after its message is in its original queue.
    pub async fn settle(self, action: Action) -> anyhow::Result<Vec<LetterSummary>> {
        for batch in self.letters.chunks(BATCH) {
            if action == Action::SendBack {
                self.send_back(batch).await?;
            }
            self.delete(batch).await?;
        }
        Ok(self.letters.iter().map(DeadLetter::summary).collect())
    }

    async fn send_back(&self, batch: &[DeadLetter]) -> anyhow::Result<()> {
        let Self { deployment, role, .. } = self;
        let originals: Vec<_> = batch.iter().map(|letter| dead_letter::original(&letter.message)).collect();
        let source = deployment.aws.queue(deployment.env.queue_url(role)?);
        source.send(&originals).await.with_context(|| format!("send letters back to queue {role}"))
    }

    async fn delete(&self, batch: &[DeadLetter]) -> anyhow::Result<()> {
        let queue = self.deployment.aws.queue(&self.deployment.env.dead_letter_url(self.role)?);
        let receipts: Vec<_> = batch.iter().map(|letter| letter.message.receipt.clone()).collect();
        queue.delete(&receipts).await.context("delete letters")
    }
}
