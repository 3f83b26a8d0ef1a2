//! Contract tests for the ports: the promises of the traits `Queue` and `ObjectStore` as checks that run on any
//! adapter.
//!
//! This crate's tests run them on the adapters in memory, and the tests of the whole stack run them on LocalStack. Run
//! them on your own adapters in the same way.

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
