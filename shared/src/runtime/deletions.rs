//! Deletes settled messages, many in one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::ports::queue::{BATCH, Queue, Receipt};
use crate::runtime::backoff::Backoff;

/// How long the first receipt of a batch waits for others to join it. Nobody waits for a deletion, and a message that comes
/// again because it was not made finds its work done.
const LINGER: Duration = Duration::from_millis(100);

/// How often a batch is tried. What remains then comes again, and its handler finds the work done.
const TRIES: u32 = 3;

/// How long passes between the tries.
const BETWEEN: Backoff = Backoff { first: Duration::from_millis(200), most: Duration::from_secs(2) };

/// Where the receipts of settled messages go.
#[derive(Clone)]
pub struct Deletions {
    queue: Arc<dyn Queue>,
    receipts: mpsc::Sender<Receipt>,
    are_failing: Arc<AtomicBool>,
}

impl Deletions {
    /// A place for receipts, and the work of deleting what is put there, which ends when the last clone is dropped and
    /// everything is deleted.
    pub fn new(queue: Arc<dyn Queue>) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receipts) = mpsc::channel(BATCH);
        let are_failing = Arc::new(AtomicBool::new(false));
        let deleting = delete_all(Arc::clone(&queue), receipts, Arc::clone(&are_failing));
        (Self { queue, receipts: sender, are_failing }, deleting)
    }

    /// Whether the last deletion failed.
    pub fn are_failing(&self) -> bool {
        self.are_failing.load(Ordering::Relaxed)
    }

    /// Deletes one message, and returns when it is deleted, or will not be.
    pub async fn delete_now(&self, receipt: &Receipt) {
        delete(&*self.queue, std::slice::from_ref(receipt), &self.are_failing).await;
    }

    /// Has a message deleted soon. Only what is durable may come here. It waits where deletions lag, and so does the slot of
    /// whoever asks: no more is received than can be deleted.
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

/// Deleting what is deleted already does no harm, so that a batch of which some remain is tried again whole.
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
