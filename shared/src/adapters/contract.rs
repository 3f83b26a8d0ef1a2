//! What every adapter of a port must keep: the promises in the ports' own words, as checks to run on any of them.
//!
//! They run on memory in this crate's tests, and on LocalStack in those of the whole stack. An adapter of your own is held to
//! them in the same way.

mod queue;
mod store;

pub use queue::queue;
pub use store::store;

#[cfg(test)]
mod tests {
    use crate::adapters::memory_queue::MemoryQueue;
    use crate::adapters::memory_store::MemoryStore;

    #[tokio::test(start_paused = true)]
    async fn memory_keeps_the_contract_of_queues() {
        super::queue(&MemoryQueue::default()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn memory_keeps_the_contract_of_stores() {
        super::store(&MemoryStore::default()).await.unwrap();
    }
}
