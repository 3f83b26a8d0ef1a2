//! What every adapter of a port must keep: the promises in the ports' own words, as checks to run on any of them.
//!
//! They run on memory in this crate's tests. With the feature `contract` the tests of other crates can run them on what
//! they have started.

mod queue;
mod store;

pub use queue::queue;
pub use store::store;

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use crate::adapters::aws::Aws;
    use crate::adapters::memory_queue::MemoryQueue;
    use crate::adapters::memory_store::MemoryStore;
    use crate::runtime::env::Env;

    #[tokio::test(start_paused = true)]
    async fn memory_keeps_the_contract_of_queues() {
        super::queue(&MemoryQueue::default()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn memory_keeps_the_contract_of_stores() {
        super::store(&MemoryStore::default()).await.unwrap();
    }

    /// Where `CANDLEWICK_CONTRACT` is set, so must be the way to an AWS, or to a stand-in, that may be written to.
    fn is_asked_for() -> bool {
        Env::of_process().optional("CANDLEWICK_CONTRACT").is_some()
    }

    fn name() -> String {
        format!("contract-{:08x}", rand::random::<u32>())
    }

    #[tokio::test]
    async fn sqs_keeps_the_contract_of_queues_where_that_is_asked_for() -> anyhow::Result<()> {
        if !is_asked_for() {
            return Ok(());
        }
        let aws = Aws::from_env().await;
        let url = aws.sqs().create_queue().queue_name(name()).send().await?.queue_url.context("read its URL")?;
        let kept = super::queue(&aws.queue(&url)).await;
        aws.sqs().delete_queue().queue_url(&url).send().await?;
        kept
    }

    #[tokio::test]
    async fn s3_keeps_the_contract_of_stores_where_that_is_asked_for() -> anyhow::Result<()> {
        if !is_asked_for() {
            return Ok(());
        }
        let (aws, bucket) = (Aws::from_env().await, name());
        aws.s3().create_bucket().bucket(&bucket).send().await?;
        super::store(&aws.store(&bucket)).await
    }
}
