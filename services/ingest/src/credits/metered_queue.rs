//! The ingest queue, which is received from only while there are credits to spend.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_shared::ports::queue::{Depth, Lease, Message, NewMessage, Queue, QueueError, Receipt};

use crate::credits::allowance::Allowance;
use crate::credits::pool::{Credit, CreditPool};
use crate::fetch::client::Client;

/// A queue that receives as many messages as there are credits.
///
/// It reserves no credits while it waits for messages, so that messages in progress can use them. A message that arrives when
/// none is left waits for its credit like those.
pub struct MeteredQueue {
    inner: Arc<dyn Queue>,
    client: Client,
    pool: CreditPool,
    credits: Mutex<HashMap<String, Credit>>,
}

impl MeteredQueue {
    pub fn new(inner: Arc<dyn Queue>, client: Client, pool: CreditPool) -> Self {
        Self { inner, client, pool, credits: Mutex::default() }
    }

    /// The credit that came with a message, if any, and access to more.
    pub fn allowance(&self, message_id: &str) -> Allowance {
        Allowance::new(self.credits().remove(message_id), self.pool.clone())
    }

    fn credits(&self) -> MutexGuard<'_, HashMap<String, Credit>> {
        self.credits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests the limits and today's usage from the API until it has reported them once. A failure stops nothing: the
    /// headers of other answers report the minute, and their errors the end of the day's credits.
    async fn fetch_limits(&self) {
        if !self.pool.needs_limits() {
            return;
        }
        match self.client.usage().await {
            Ok(account) => {
                self.pool.reconcile(account);
                tracing::info!(plan = ?self.pool.plan(), used_today = account.used_today, "read the limits of the API plan");
            }
            Err(error) => {
                self.pool.record_refusal(&error);
                tracing::warn!("failed to read the limits of the API plan: {error}");
            }
        }
    }
}

#[async_trait]
impl Queue for MeteredQueue {
    async fn receive(&self, most: usize, lease: Duration) -> Result<Vec<Message>, QueueError> {
        self.fetch_limits().await;
        let room = self.pool.room(most).await;
        let messages = self.inner.receive(room, lease).await?;
        // Credits still here belong to earlier messages that were returned or given up without being handled.
        self.credits().clear();
        for message in &messages {
            if let Ok(credit) = self.pool.try_take() {
                self.credits().insert(message.id.clone(), credit);
            }
        }
        Ok(messages)
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<Lease, QueueError> {
        self.inner.extend(receipt, lease).await
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<(), QueueError> {
        self.inner.delete(receipts).await
    }

    async fn send(&self, messages: &[NewMessage]) -> Result<(), QueueError> {
        self.inner.send(messages).await
    }

    async fn send_after(&self, message: &NewMessage, delay: Duration) -> Result<(), QueueError> {
        self.inner.send_after(message, delay).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.inner.depth().await
    }
}
