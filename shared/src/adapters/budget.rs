//! A memory budget: a number of bytes that several tasks share.

use std::sync::Arc;

use anyhow::{Context, ensure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::core::byte_size::ByteSize;

/// Smaller requests are not counted, because all concurrent tasks together need little memory for them.
const UNCOUNTED: u64 = 256 << 10;

/// The bytes per permit: a semaphore has too few permits to count single bytes.
const BYTES_PER_PERMIT: u64 = 1 << 10;

/// A number of bytes that several tasks share.
#[derive(Clone, Debug)]
pub struct Budget {
    bytes: u64,
    free: Arc<Semaphore>,
}

/// A share of a [`Budget`], which is returned on drop.
#[derive(Debug)]
pub struct Share(#[expect(dead_code, reason = "held only to be dropped")] Option<OwnedSemaphorePermit>);

impl Budget {
    /// A budget of `bytes` bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let permits = usize::try_from(bytes / BYTES_PER_PERMIT).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { bytes, free: Arc::new(Semaphore::new(permits)) }
    }

    /// The size of the whole budget in bytes, which is also the largest possible share.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Waits until `bytes` bytes are free, and takes them.
    ///
    /// # Errors
    ///
    /// Returns an error if `bytes` is more than the whole budget.
    pub async fn take(&self, bytes: u64) -> anyhow::Result<Share> {
        if bytes <= UNCOUNTED {
            return Ok(Share(None));
        }
        ensure!(
            bytes <= self.bytes,
            "{} of memory are needed, and the whole budget is {}",
            ByteSize(bytes),
            ByteSize(self.bytes)
        );
        let permits = u32::try_from(bytes / BYTES_PER_PERMIT).context("count the memory")?;
        let taken = Arc::clone(&self.free).acquire_many_owned(permits).await.context("wait for memory")?;
        Ok(Share(Some(taken)))
    }

    /// Takes `bytes` bytes if they are free now.
    #[must_use]
    pub fn try_take(&self, bytes: u64) -> Option<Share> {
        if bytes <= UNCOUNTED {
            return Some(Share(None));
        }
        let permits = u32::try_from(bytes / BYTES_PER_PERMIT).ok()?;
        Arc::clone(&self.free).try_acquire_many_owned(permits).ok().map(|taken| Share(Some(taken)))
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
