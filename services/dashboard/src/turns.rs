//! Large reads take turns, so that they leave processors for everything else.

use std::sync::Arc;
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Limits how many large reads proceed at once: half as many as there are processors. The database needs the others.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Semaphore>);

/// A turn, which is over when it is dropped.
pub type Turn = OwnedSemaphorePermit;

impl Default for Turns {
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((processors / 2).max(1))))
    }
}

impl Turns {
    /// Waits for a turn. Those who wait get theirs in the order in which they came. Hold it only while there is work, and
    /// never while a client is waited for.
    pub async fn take(&self) -> Option<Turn> {
        // The semaphore is never closed.
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}
