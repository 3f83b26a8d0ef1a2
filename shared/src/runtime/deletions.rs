//! Deletes settled messages, many in one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::ports::queue::{BATCH, Queue, Receipt};
use crate::runtime::backoff::Backoff;

/// How long the first receipt of a batch waits for others. Nothing waits for a deletion, and a message that is
/// delivered again because it was not deleted finds its work done.
const LINGER: Duration = Duration::from_millis(100);

/// How often a batch is tried. Messages that remain are delivered again, and their handler finds the work done.
const TRIES: u32 = 3;

/// The wait between tries.
const BETWEEN: Backoff = Backoff { first: Duration::from_millis(200), most: Duration::from_secs(2) };

/// Collects the receipts of settled messages and deletes them in batches.
#[derive(Clone)]
pub struct Deletions {
    queue: Arc<dyn Queue>,
    receipts: mpsc::Sender<Receipt>,
    are_failing: Arc<AtomicBool>,
}

impl Deletions {
    /// The collector, and the task that deletes what it collects. The task ends when the last clone is dropped and
    /// everything is deleted.
    pub fn new(queue: Arc<dyn Queue>) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receipts) = mpsc::channel(BATCH);
        let are_failing = Arc::new(AtomicBool::new(false));
        let deleting = delete_all(Arc::clone(&queue), receipts, Arc::clone(&are_failing));
        (Self { queue, receipts: sender, are_failing }, deleting)
    }

    /// Whether the last deletion failed after all its tries.
    pub fn are_failing(&self) -> bool {
        self.are_failing.load(Ordering::Relaxed)
    }

    /// Deletes one message. Returns when it is deleted or all tries have failed.
    pub async fn delete_now(&self, receipt: &Receipt) {
        delete(&*self.queue, std::slice::from_ref(receipt), &self.are_failing).await;
    }

    /// Schedules a message for deletion. Its work must be durable. Waits while deletions lag, and the caller keeps its
    /// concurrency permit meanwhile: no more is received than can be deleted.
    pub async fn add(&self, receipt: Receipt) {
        if self.receipts.send(receipt).await.is_err() {
            tracing::warn!("a settled message was not deleted: the consumer has stopped");
        }
    }
}

async fn delete_all(queue: Arc<dyn Queue>, mut receipts: mpsc::Receiver<Receipt>, are_failing: Arc<AtomicBool>) {
    while let Some(first) = receipts.recv().await {
        let batch = batch_of(first, &mut receipts).await;
        delete(queue.as_ref(), &batch, &are_failing).await;
    }
}

async fn batch_of(first: Receipt, receipts: &mut mpsc::Receiver<Receipt>) -> Vec<Receipt> {
    let mut batch = vec![first];
    let fill = async {
        while batch.len() < BATCH
            && let Some(receipt) = receipts.recv().await
        {
            batch.push(receipt);
        }
    };
    let _ = timeout(LINGER, fill).await;
    batch
}

/// Deleting a message twice does no harm, so a batch that failed in part is retried as a whole.
async fn delete(queue: &dyn Queue, batch: &[Receipt], are_failing: &AtomicBool) {
    for attempt in 1..=TRIES {
        match queue.delete(batch).await {
            Ok(()) => return are_failing.store(false, Ordering::Relaxed),
            Err(error) if attempt == TRIES => tracing::warn!("settled but not deleted: {error}"),
            Err(error) => {
                tracing::debug!("{error}; deleting again");
                sleep(BETWEEN.wait(attempt)).await;
            }
        }
    }
    are_failing.store(true, Ordering::Relaxed);
}
