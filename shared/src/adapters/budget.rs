//! A number of bytes that several share, so that together they have no more.

use std::sync::Arc;

use anyhow::{Context, ensure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::core::byte_size::ByteSize;

/// What is less than this is not counted: all slots together have little of it.
const SMALL: u64 = 256 << 10;

/// What is counted by: a semaphore has too few permits for bytes.
const UNIT: u64 = 1 << 10;

/// A number of bytes that several share.
#[derive(Clone, Debug)]
pub struct Budget {
    bytes: u64,
    free: Arc<Semaphore>,
}

/// Bytes that are taken for as long as this lives.
#[derive(Debug)]
pub struct Share(#[expect(dead_code, reason = "it is held, and not looked at")] Option<OwnedSemaphorePermit>);

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let units = usize::try_from(bytes / UNIT).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { bytes, free: Arc::new(Semaphore::new(units)) }
    }

    /// How many bytes one may have at the most: all of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Waits until so many bytes are free, and takes them.
    ///
    /// # Errors
    /// More than there are at all.
    pub async fn take(&self, bytes: u64) -> anyhow::Result<Share> {
        if bytes <= SMALL {
            return Ok(Share(None));
        }
        ensure!(bytes <= self.bytes, "{} of memory are wanted of {}", ByteSize(bytes), ByteSize(self.bytes));
        let units = u32::try_from(bytes / UNIT).context("count the memory")?;
        let taken = Arc::clone(&self.free).acquire_many_owned(units).await.context("wait for memory")?;
        Ok(Share(Some(taken)))
    }

    /// Takes so many bytes, if they are free now.
    #[must_use]
    pub fn try_take(&self, bytes: u64) -> Option<Share> {
        if bytes <= SMALL {
            return Some(Share(None));
        }
        let units = u32::try_from(bytes / UNIT).ok()?;
        Arc::clone(&self.free).try_acquire_many_owned(units).ok().map(|taken| Share(Some(taken)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_memory_free_waits_until_there_is() {
        let budget = Budget::new(2 << 20);
        let first = budget.take(3 << 19).await.unwrap();
        let second = tokio::spawn({
            let budget = budget.clone();
            async move { budget.take(3 << 19).await.map(drop) }
        });
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert!(!second.is_finished() && budget.try_take(3 << 19).is_none() && budget.try_take(1 << 10).is_some());
        drop(first);
        second.await.unwrap().unwrap();
    }
}
