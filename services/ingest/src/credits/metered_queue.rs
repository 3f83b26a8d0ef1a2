//! The ingest queue, from which a message comes only when there is a credit to spend on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_shared::ports::queue::{Depth, Lease, Message, NewMessage, Queue, QueueError, Receipt};

use crate::credits::allowance::Allowance;
use crate::credits::pool::{Credit, CreditPool};
use crate::fetch::client::Client;

/// A queue that is received from as credits allow.
///
/// It holds no credits while it waits for messages, so that those in hand can use them: a message for which none is left
/// when it comes is one in hand that waits for the next.
pub struct MeteredQueue {
    inner: Arc<dyn Queue>,
    client: Client,
    pool: CreditPool,
    credits: Mutex<HashMap<String, Credit>>,
}

impl MeteredQueue {
    /// Meters a queue by a pool's budget, about which the client asks the API.
    pub fn new(inner: Arc<dyn Queue>, client: Client, pool: CreditPool) -> Self {
        Self { inner, client, pool, credits: Mutex::default() }
    }

    /// What a message may spend: the credit that it came with, and others as there are any.
    pub fn allowance(&self, message_id: &str) -> Allowance {
        Allowance::new(self.credits().remove(message_id), self.pool.clone())
    }

    fn credits(&self) -> MutexGuard<'_, HashMap<String, Credit>> {
        self.credits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the API for its limits and what was used of them today, until it has told once. Its silence stops nothing: its
    /// answers tell of the minute, and its refusals of the day.
    async fn ask_for_limits(&self) {
        if !self.pool.is_to_ask() {
            return;
        }
        match self.client.usage().await {
            Ok(account) => {
                self.pool.reconcile(account);
                tracing::info!(plan = ?self.pool.plan(), used_today = account.used_today, "the plan's credits are known");
            }
            Err(error) => {
                self.pool.refused(&error);
                tracing::warn!("the plan's credits are not known: {error}");
            }
        }
    }
}

#[async_trait]
impl Queue for MeteredQueue {
    async fn receive(&self, most: usize, lease: Duration) -> Result<Vec<Message>, QueueError> {
        self.ask_for_limits().await;
        let room = self.pool.room(most).await;
        let messages = self.inner.receive(room, lease).await?;
        // What nobody took came with messages that were not worked on: they were sent again, or given up.
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
