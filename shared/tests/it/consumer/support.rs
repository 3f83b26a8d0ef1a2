//! A consumer between two queues that record all requests and can be made to fail.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::core::blame::Blame;
use candlewick_shared::ports::notifier::{Alert, Notifier};
use candlewick_shared::ports::protection::Protection;
use candlewick_shared::ports::queue::{Depth, Lease, Message, NewMessage, Queue, QueueError, Receipt};
use candlewick_shared::runtime::health::Health;
use candlewick_shared::runtime::layers::{Delivery, MessageService};
use candlewick_shared::runtime::outcome::Outcome;
use candlewick_shared::runtime::{consumer::Consumer, policy::Policy};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

pub const LEASE: Duration = Duration::from_secs(60);

/// A request to a queue, and when it was made.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Receive(usize),
    Extend(Duration),
    Delete(usize),
    Send(usize),
    SendAfter(Duration),
}

/// A queue in memory that records requests and can be made to fail.
pub struct Watched {
    name: &'static str,
    pub inner: MemoryQueue,
    log: Log,
    broken: Mutex<BTreeSet<&'static str>>,
}

type Log = Arc<Mutex<Vec<(Instant, &'static str, Asked)>>>;

impl Watched {
    /// Makes every `receive`, `extend`, `delete` or `send` fail. Other values: `lose` loses leases, `forgive` grants
    /// every extension, `hang` blocks extending and sending again, `count` blocks counting the messages, and `answer` loses
    /// the response of a receive.
    pub fn break_down(&self, operation: &'static str) {
        self.broken.lock().unwrap().insert(operation);
    }

    /// Delivers messages to a consumer that never responds.
    pub async fn inner_receive(&self) -> Vec<Message> {
        self.inner.receive(1, Duration::from_secs(1)).await.unwrap()
    }

    pub fn mend(&self) {
        self.broken.lock().unwrap().clear();
    }

    fn is_broken(&self, operation: &'static str) -> bool {
        self.broken.lock().unwrap().contains(operation)
    }

    /// The response of a queue that has done what was requested; the response may get lost.
    fn answer<T>(&self, operation: &'static str, answer: T) -> Result<T, QueueError> {
        if self.is_broken("answer") { Err(self.error(operation)) } else { Ok(answer) }
    }

    fn error(&self, operation: &'static str) -> QueueError {
        let queue = self.name.to_owned();
        let reason = "broken".to_owned();
        QueueError { operation, queue, reason, blame: Blame::Dependency }
    }

    fn ask(&self, operation: &'static str, asked: Asked) -> Result<(), QueueError> {
        self.log.lock().unwrap().push((Instant::now(), self.name, asked));
        if self.is_broken(operation) { Err(self.error(operation)) } else { Ok(()) }
    }
}

#[async_trait]
impl Queue for Watched {
    async fn receive(&self, most: usize, lease: Duration) -> Result<Vec<Message>, QueueError> {
        self.ask("receive", Asked::Receive(most))?;
        let messages = self.inner.receive(most, lease).await?;
        self.answer("receive", messages)
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<Lease, QueueError> {
        self.ask("extend", Asked::Extend(lease))?;
        if self.is_broken("hang") {
            std::future::pending::<()>().await;
        }
        match self.inner.extend(receipt, lease).await? {
            _ if self.is_broken("lose") => Ok(Lease::Lost),
            _ if self.is_broken("forgive") => Ok(Lease::Held),
            lease => Ok(lease),
        }
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<(), QueueError> {
        self.ask("delete", Asked::Delete(receipts.len()))?;
        self.inner.delete(receipts).await
    }

    async fn send(&self, messages: &[NewMessage]) -> Result<(), QueueError> {
        self.ask("send", Asked::Send(messages.len()))?;
        self.inner.send(messages).await
    }

    async fn send_after(&self, message: &NewMessage, delay: Duration) -> Result<(), QueueError> {
        self.ask("send", Asked::SendAfter(delay))?;
        if self.is_broken("hang") {
            std::future::pending::<()>().await;
        }
        self.inner.send_after(message, delay).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        while self.is_broken("count") {
            sleep(Duration::from_secs(1)).await;
        }
        self.inner.depth().await
    }
}

/// A process's access to a queue, which does nothing once the process is dead.
struct Mortal {
    inner: Arc<Watched>,
    is_dead: Arc<AtomicBool>,
}

impl Mortal {
    async fn live(&self) -> &Watched {
        if self.is_dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        &self.inner
    }
}

#[async_trait]
impl Queue for Mortal {
    async fn receive(&self, most: usize, lease: Duration) -> Result<Vec<Message>, QueueError> {
        self.live().await.receive(most, lease).await
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<Lease, QueueError> {
        self.live().await.extend(receipt, lease).await
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<(), QueueError> {
        self.live().await.delete(receipts).await
    }

    async fn send(&self, messages: &[NewMessage]) -> Result<(), QueueError> {
        self.live().await.send(messages).await
    }

    async fn send_after(&self, message: &NewMessage, delay: Duration) -> Result<(), QueueError> {
        self.live().await.send_after(message, delay).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.live().await.depth().await
    }
}

/// A notifier that records notifications.
#[derive(Default)]
pub struct Heard(pub Mutex<Vec<Alert>>);

#[async_trait]
impl Notifier for Heard {
    async fn notify(&self, alert: Alert) {
        self.0.lock().unwrap().push(alert);
    }
}

pub struct Rig {
    pub queue: Arc<Watched>,
    pub dead: Arc<Watched>,
    pub heard: Arc<Heard>,
    pub policy: Policy,
    pub protection: Option<Arc<dyn Protection>>,
    pub health: Health,
    pub stop: CancellationToken,
    is_dead: Arc<AtomicBool>,
    log: Log,
}

impl Rig {
    pub fn new(slots: usize) -> Self {
        let log = Log::default();
        let watched = |name| {
            let inner = MemoryQueue::default();
            let log = Arc::clone(&log);
            let broken = Mutex::default();
            Arc::new(Watched { name, inner, log, broken })
        };
        Self {
            queue: watched("queue"),
            dead: watched("dead"),
            heard: Arc::default(),
            policy: Policy::new(slots, LEASE),
            protection: None,
            health: Health::default(),
            stop: CancellationToken::new(),
            is_dead: Arc::default(),
            log,
        }
    }

    pub async fn send(&self, bodies: &[&str]) {
        let messages = bodies.iter().map(|body| NewMessage { body: (*body).to_owned(), ..NewMessage::default() });
        self.queue.inner.send(&messages.collect::<Vec<_>>()).await.unwrap();
    }

    pub async fn send_many(&self, count: usize) {
        let bodies: Vec<_> = (0..count).map(|at| at.to_string()).collect();
        self.send(&bodies.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }

    /// Runs the consumer until [`Rig::stop`] is cancelled.
    pub fn start<F, W>(&self, handler: F) -> JoinHandle<()>
    where
        F: Fn(Delivery) -> W + Clone + Send + Sync + 'static,
        W: Future<Output = Outcome> + Send + 'static,
    {
        let consumer = Consumer {
            stage: "test",
            queue: Arc::new(Mortal { inner: self.queue.clone(), is_dead: Arc::clone(&self.is_dead) }),
            dead_letters: self.dead.clone(),
            notifier: self.heard.clone(),
            protection: self.protection.clone(),
            policy: self.policy,
        };
        let health = self.health.clone();
        let stop = self.stop.clone();
        let handler = MessageService::new(service_fn(handler));
        tokio::spawn(async move { health.during(consumer.run(handler, stop)).await })
    }

    /// Stops the consumer, which must end.
    pub async fn stop(&self, running: JoinHandle<()>) {
        self.stop.cancel();
        timeout(Duration::from_secs(3600), running).await.expect("it stops").unwrap();
    }

    /// The process dies: the queue gets no more requests from it.
    pub fn kill(&mut self) {
        self.is_dead.store(true, Ordering::SeqCst);
        self.restart();
    }

    /// Starts another process with the same queues.
    pub fn restart(&mut self) {
        self.stop = CancellationToken::new();
        self.is_dead = Arc::default();
    }

    pub fn left(&self) -> Vec<String> {
        self.queue.inner.bodies()
    }

    pub async fn until_empty(&self) {
        eventually("the queue is empty", || self.left().is_empty()).await;
    }

    /// The requests to a queue so far.
    pub fn asked(&self, name: &str) -> Vec<Asked> {
        self.timed(name).into_iter().map(|(_, asked)| asked).collect()
    }

    pub fn timed(&self, name: &str) -> Vec<(Instant, Asked)> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(_, of, _)| *of == name).map(|(at, _, asked)| (*at, asked.clone())).collect()
    }

    /// The order of sends to the dead-letter queue and deletes from the queue.
    pub fn moves(&self) -> Vec<&'static str> {
        let log = self.log.lock().unwrap();
        let of_move = |asked: &Asked| matches!(asked, Asked::Send(_) | Asked::Delete(_));
        log.iter().filter(|(_, _, asked)| of_move(asked)).map(|(_, name, _)| *name).collect()
    }

    pub fn receives(&self) -> Vec<usize> {
        let of = |asked| if let Asked::Receive(most) = asked { Some(most) } else { None };
        self.asked("queue").into_iter().filter_map(of).collect()
    }
}

/// Waits for a condition on tokio's time, for a day at most.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        let mut pause = Duration::from_millis(10);
        while !holds() {
            sleep(pause).await;
            pause = (pause * 11 / 10).min(Duration::from_secs(1));
        }
    };
    timeout(Duration::from_secs(86_400), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// A counter that handlers share.
#[derive(Clone, Default)]
pub struct Count(Arc<Mutex<usize>>);

impl Count {
    pub fn add(&self) -> usize {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        *count
    }

    pub fn remove(&self) {
        *self.0.lock().unwrap() -= 1;
    }

    pub fn get(&self) -> usize {
        *self.0.lock().unwrap()
    }
}

/// Counts when it is dropped: with a future, or at the end of its scope.
pub struct Dropped(pub Count);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add();
    }
}
