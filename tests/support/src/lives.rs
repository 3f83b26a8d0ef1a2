//! Processes that die: simulations on paused time give each process a bucket and queues in memory through a [`Hand`],
//! whose calls never return once the process is dead. A process can die before and after the effect of every call.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use candlewick_shared::ports::queue::{Depth, Lease, Message, NewMessage, Queue, QueueError, Receipt};
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, Put, PutIf, StoreError};
use candlewick_shared::runtime::chance;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The maximum duration of a call, in milliseconds.
const LONGEST_CALL: u64 = 40;

/// A process. It dies after a number of calls, and then none of its calls returns any more.
pub struct Life {
    calls: AtomicU64,
    most: u64,
    dice: Mutex<StdRng>,
    dead: CancellationToken,
}

impl Life {
    /// A process that dies at its call number `most`.
    #[must_use]
    pub fn new(most: u64, seed: u64) -> Arc<Self> {
        let dice = Mutex::new(StdRng::seed_from_u64(seed));
        Arc::new(Self { calls: AtomicU64::new(0), most, dice, dead: CancellationToken::new() })
    }

    /// Waits for a moment, or forever if the process dies here.
    pub async fn call(&self) {
        let pause = Duration::from_millis(self.dice.lock().unwrap().random_range(0..LONGEST_CALL));
        sleep(pause).await;
        if self.calls.fetch_add(1, Ordering::SeqCst) >= self.most {
            self.dead.cancel();
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the process is dead, and kills it if it lives longer than that.
    pub async fn end_within(&self, longest: Duration) {
        let _ = timeout(longest, self.dead.cancelled()).await;
        self.calls.store(u64::MAX / 2, Ordering::SeqCst);
    }
}

/// A process's handle to something that outlives it.
pub struct Hand<T: ?Sized> {
    of: Arc<T>,
    life: Arc<Life>,
}

impl<T: ?Sized> Hand<T> {
    #[must_use]
    pub fn new(of: &Arc<T>, life: &Arc<Life>) -> Arc<Self> {
        Arc::new(Self { of: Arc::clone(of), life: Arc::clone(life) })
    }
}

#[async_trait]
impl<S: ObjectStore + ?Sized> ObjectStore for Hand<S> {
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
        self.life.call().await;
        self.of.get_within(key, most).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        self.life.call().await;
        self.of.head(key).await
    }

    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
        self.life.call().await;
        let put = self.of.put(key, object, condition).await;
        self.life.call().await;
        put
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.life.call().await;
        self.of.list(prefix).await
    }
}

#[async_trait]
impl<Q: Queue + ?Sized> Queue for Hand<Q> {
    async fn receive(&self, most: usize, lease: Duration) -> Result<Vec<Message>, QueueError> {
        self.life.call().await;
        let messages = self.of.receive(most, lease).await;
        self.life.call().await;
        messages
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<Lease, QueueError> {
        self.life.call().await;
        self.of.extend(receipt, lease).await
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<(), QueueError> {
        self.life.call().await;
        self.of.delete(receipts).await
    }

    async fn send(&self, messages: &[NewMessage]) -> Result<(), QueueError> {
        self.life.call().await;
        self.of.send(messages).await
    }

    async fn send_after(&self, message: &NewMessage, delay: Duration) -> Result<(), QueueError> {
        self.life.call().await;
        self.of.send_after(message, delay).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.of.depth().await
    }
}

/// Runs `count` seeds, each on its own runtime with paused time, on as many threads as there are processors.
/// `CANDLEWICK_SEEDS` sets another number of seeds, `CANDLEWICK_SEED` the first one.
///
/// # Panics
///
/// A seed fails; the message says how to repeat it.
pub fn through_seeds<F: Future<Output = ()>>(count: u64, live: impl Fn(u64) -> F + Sync) {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().unwrap());
    let first = number("CANDLEWICK_SEED").unwrap_or(0);
    let last = first + number("CANDLEWICK_SEEDS").unwrap_or(count);
    let next = AtomicU64::new(first);
    let failed = Mutex::new(Vec::new());
    thread::scope(|threads| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            threads.spawn(|| {
                let seeds = std::iter::repeat_with(|| next.fetch_add(1, Ordering::SeqCst));
                for seed in seeds.take_while(|seed| *seed < last) {
                    chance::repeat(seed);
                    let life = std::panic::AssertUnwindSafe(|| paused().block_on(live(seed)));
                    if catch_unwind(life).is_err() {
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "seeds {failed:?} failed: repeat one with CANDLEWICK_SEED=… CANDLEWICK_SEEDS=1");
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}
