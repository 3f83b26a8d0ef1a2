//! Dead letters in hand: hidden from others, and given back or deleted.

use anyhow::Context;
use candlewick_shared::ports::queue::{BATCH, Queue};
use candlewick_shared::runtime::dead_letter;

use crate::dead_letters::letter::Summary;
use crate::dead_letters::{self, DeadLetter};
use crate::place::Running;

/// What becomes of letters for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They go to the queue that they came from.
    SendBack,
    /// They are deleted.
    Delete,
}

/// Letters of one dead-letter queue that nobody else sees for two minutes.
pub struct InHand<'a> {
    running: &'a Running,
    role: &'a str,
    /// The letters, the oldest first.
    pub letters: Vec<DeadLetter>,
}

impl<'a> InHand<'a> {
    /// Takes up to `most` letters of the queue with a role.
    pub async fn take(running: &'a Running, role: &'a str, most: usize) -> anyhow::Result<Self> {
        let letters = dead_letters::take(&running.aws, &running.env, role, most).await?;
        Ok(Self { running, role, letters })
    }

    /// Those that are meant, and the others.
    pub fn part(self, is_meant: impl Fn(&DeadLetter) -> bool) -> (Self, Self) {
        let Self { running, role, letters } = self;
        let (meant, others) = letters.into_iter().partition(is_meant);
        (Self { running, role, letters: meant }, Self { running, role, letters: others })
    }

    /// Gives all of them back, and returns what they were.
    pub async fn give_back(self) -> anyhow::Result<Vec<Summary>> {
        dead_letters::give_back(&self.running.aws, &self.running.env, self.role, self.letters.iter()).await?;
        Ok(self.letters.iter().map(DeadLetter::summary).collect())
    }

    /// Sends all of them back or deletes them, a batch at a time, and returns what they were. A letter is deleted only
    /// when its message stands where it came from.
    pub async fn settle(self, way: Way) -> anyhow::Result<Vec<Summary>> {
        for batch in self.letters.chunks(BATCH) {
            if way == Way::SendBack {
                self.send_back(batch).await?;
            }
            self.delete(batch).await?;
        }
        Ok(self.letters.iter().map(DeadLetter::summary).collect())
    }

    async fn send_back(&self, batch: &[DeadLetter]) -> anyhow::Result<()> {
        let Self { running, role, .. } = self;
        let originals: Vec<_> = batch.iter().map(|letter| dead_letter::original(&letter.message)).collect();
        let source = running.aws.queue(running.env.queue_url(role)?);
        source.send(&originals).await.with_context(|| format!("send letters back to queue {role}"))
    }

    async fn delete(&self, batch: &[DeadLetter]) -> anyhow::Result<()> {
        let queue = self.running.aws.queue(&dead_letters::url(&self.running.env, self.role)?);
        let receipts: Vec<_> = batch.iter().map(|letter| letter.message.receipt.clone()).collect();
        queue.delete(&receipts).await.context("delete letters")
    }
}
