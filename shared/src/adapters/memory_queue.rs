//! A queue in memory whose leases expire, for tests with paused time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::core::blame::Blame;
use crate::ports::queue::{BATCH, Depth, Lease, Message, NewMessage, Queue, QueueError, Receipt};

/// How long a receive waits for the first message.
const LONG_POLL: Duration = Duration::from_secs(20);

/// A queue in memory. It uses tokio's clock, so tests can pause time and let leases expire.
#[derive(Debug, Default)]
pub struct MemoryQueue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    messages: BTreeMap<u64, Stored>,
    sent: u64,
    fault: Option<String>,
}

#[derive(Debug)]
struct Stored {
    message: NewMessage,
    visible_from: Instant,
    deliveries: u32,
}

impl MemoryQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bodies of all messages, leased or not, in the order in which they were sent.
    #[must_use]
    pub fn bodies(&self) -> Vec<String> {
        self.state().messages.values().map(|stored| stored.message.body.clone()).collect()
    }

    /// All messages, leased or not, in the order in which they were sent.
    #[must_use]
    pub fn messages(&self) -> Vec<NewMessage> {
        self.state().messages.values().map(|stored| stored.message.clone()).collect()
    }

    /// Makes every call fail with this reason; `None` lets calls succeed again.
    pub fn set_fault(&self, reason: Option<&str>) {
        self.state().fault = reason.map(str::to_owned);
        self.changed.notify_waiters();
    }

    fn check(&self, operation: &'static str) -> Result<(), QueueError> {
        match self.state().fault.clone() {
            Some(reason) => Err(QueueError { operation, queue: "memory".to_owned(), reason, blame: Blame::Dependency }),
            None => Ok(()),
        }
    }

    fn take(&self, most: usize, lease: Duration) -> Vec<Message> {
        let now = Instant::now();
        let mut state = self.state();
        let mut visible: Vec<_> = state.messages.iter_mut().filter(|(_, stored)| stored.visible_from <= now).collect();
        // The message that has waited longest comes first, so no message starves while others are delivered again and
        // again.
        visible.sort_by_key(|(id, stored)| (stored.visible_from, **id));
        visible.into_iter().take(most.min(BATCH)).map(|(id, stored)| stored.lease(*id, now + lease)).collect()
    }

    fn put(&self, message: &NewMessage, delay: Duration) {
        let mut state = self.state();
        state.sent += 1;
        let id = state.sent;
        let message = message.clone();
        state.messages.insert(id, Stored { message, visible_from: Instant::now() + delay, deliveries: 0 });
        self.changed.notify_waiters();
    }

    fn next_visible(&self) -> Option<Instant> {
        self.state().messages.values().map(|stored| stored.visible_from).min()
    }
}

impl Stored {
    fn lease(&mut self, id: u64, until: Instant) -> Message {
        self.visible_from = until;
        self.deliveries += 1;
        Message {
            id: id.to_string(),
            receipt: Receipt(format!("{id}/{}", self.deliveries)),
            body: self.message.body.clone(),
            receive_count: self.deliveries,
            attributes: self.message.attributes.clone(),
        }
    }
}

/// The id of the message and the number of the delivery in a receipt.
fn parse(receipt: &Receipt) -> Option<(u64, u32)> {
    let (id, delivery) = receipt.0.split_once('/')?;
    Some((id.parse().ok()?, delivery.parse().ok()?))
}

impl State {
    /// The message of a delivery whose lease has not ended.
    fn leased(&mut self, receipt: &Receipt) -> Option<(u64, &mut Stored)> {
        let (id, delivery) = parse(receipt)?;
        let stored = self.messages.get_mut(&id)?;
        (stored.deliveries == delivery && stored.visible_from > Instant::now()).then_some((id, stored))
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn receive(&self, most: usize, lease: Duration) -> Result<Vec<Message>, QueueError> {
        let deadline = Instant::now() + LONG_POLL;
        loop {
            self.check("receive from")?;
            let changed = self.changed.notified();
            let messages = self.take(most, lease);
            if !messages.is_empty() || Instant::now() >= deadline {
                return Ok(messages);
            }
            let wake = self.next_visible().unwrap_or(deadline).min(deadline);
            let _ = timeout_at(wake, changed).await;
        }
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<Lease, QueueError> {
        self.check("extend a lease of")?;
        let held =
            self.state().leased(receipt).map(|(_, stored)| stored.visible_from = Instant::now() + lease).is_some();
        self.changed.notify_waiters();
        Ok(if held { Lease::Held } else { Lease::Lost })
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<(), QueueError> {
        self.check("delete from")?;
        let mut state = self.state();
        for receipt in receipts {
            if let Some((id, _)) = state.leased(receipt) {
                state.messages.remove(&id);
            }
        }
        Ok(())
    }

    async fn send(&self, messages: &[NewMessage]) -> Result<(), QueueError> {
        self.check("send to")?;
        for message in messages {
            self.put(message, Duration::ZERO);
        }
        Ok(())
    }

    async fn send_after(&self, message: &NewMessage, delay: Duration) -> Result<(), QueueError> {
        self.check("send to")?;
        self.put(message, delay);
        Ok(())
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.check("read the depth of")?;
        let now = Instant::now();
        let state = self.state();
        let waiting = state.messages.values().filter(|stored| stored.visible_from <= now).count() as u64;
        Ok(Depth { waiting, in_flight: state.messages.len() as u64 - waiting, delayed: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(30);

    async fn queue_of_one() -> MemoryQueue {
        let queue = MemoryQueue::default();
        queue.send(&[NewMessage { body: "one".to_owned(), ..NewMessage::default() }]).await.unwrap();
        queue
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_comes_again_when_its_lease_ends_and_not_before() {
        let queue = queue_of_one().await;
        let first = queue.receive(10, LEASE).await.unwrap();
        assert_eq!(queue.receive(10, LEASE).await.unwrap(), []);
        let start = Instant::now();
        let second = queue.receive(10, LEASE).await.unwrap();
        assert_eq!((first[0].receive_count, second[0].receive_count), (1, 2));
        assert_eq!(start.elapsed(), Duration::from_secs(10), "the first long poll took 20 of the lease's 30 s");
    }

    #[tokio::test(start_paused = true)]
    async fn an_extended_lease_holds_and_a_lost_one_cannot_be_extended() {
        let queue = queue_of_one().await;
        let message = queue.receive(1, LEASE).await.unwrap().remove(0);
        tokio::time::advance(Duration::from_secs(29)).await;
        assert_eq!(queue.extend(&message.receipt, LEASE).await.unwrap(), Lease::Held);
        tokio::time::advance(Duration::from_secs(29)).await;
        assert_eq!(queue.depth().await.unwrap(), Depth { waiting: 0, in_flight: 1, delayed: 0 });
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(queue.extend(&message.receipt, LEASE).await.unwrap(), Lease::Lost);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_lease_deletes_nothing() {
        let queue = queue_of_one().await;
        let message = queue.receive(1, LEASE).await.unwrap().remove(0);
        tokio::time::advance(Duration::from_secs(31)).await;
        queue.delete(&[message.receipt]).await.unwrap();
        assert_eq!(queue.bodies(), ["one"]);
        let message = queue.receive(1, LEASE).await.unwrap().remove(0);
        queue.delete(&[message.receipt]).await.unwrap();
        assert_eq!(queue.bodies(), Vec::<String>::new());
    }
}
