//! What outlives the processes of a simulation, and what they are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_ingest::context::Ingest;
use candlewick_ingest::credits::budget::Plan;
use candlewick_ingest::credits::metered_queue::MeteredQueue;
use candlewick_ingest::credits::pool::CreditPool;
use candlewick_ingest::fetch::client::Client;
use candlewick_ingest::handler::handle;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::metadata::RawMetadata;
use candlewick_shared::core::run::Run;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::ports::runs::{Runs, RunsError, Written};
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, Put, PutIf, StoreError};
use candlewick_shared::runtime::backoff::Backoff;
use candlewick_shared::runtime::layers::{Delivery, MessageService};
use candlewick_shared::runtime::{consumer::Consumer, policy::Policy};
use candlewick_test_support::lives::{Hand, Life};
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use super::api::{Api, Line, start};
use crate::book::Book;

/// How often all processes are killed.
pub const KILLS: usize = 3;

/// How many processes there are at a time.
pub const PROCESSES: usize = 2;

pub const RUNS: [&str; 2] = ["run-1", "run-2"];

const SYMBOLS: [&str; 3] = ["A", "B", "X"];
const INTERVALS: [&str; 2] = ["1day", "1h"];

/// A message that each of them died with is not to be taken for the killer.
const MOST_LOST: u32 = (KILLS * PROCESSES) as u32 + 1;

tokio::task_local! {
    /// The message that is being worked on.
    static WORK: Work;
}

/// The work on one delivery of a message.
#[derive(Clone)]
pub struct Work {
    run: Option<String>,
    began_at: Instant,
}

impl Work {
    fn on(body: &str) -> Self {
        let run = match serde_json::from_str(body) {
            Ok(IngestMessage::Fetch { run, .. }) => Some(run),
            _ => None,
        };
        Self { run, began_at: Instant::now() }
    }

    /// The work that asks.
    pub fn current() -> Self {
        WORK.get()
    }
}

/// The bucket, which remembers when each run's objects were there, and every candle that ever was.
#[derive(Default)]
pub struct Durable {
    inner: MemoryStore,
    /// The run, and the time, of the object at each key.
    written: Mutex<BTreeMap<String, (String, Instant, Timestamp)>>,
    candles: Mutex<BTreeMap<String, BTreeSet<String>>>,
    lost: Mutex<Vec<String>>,
}

impl Durable {
    /// What a request is for, if the work that asks began while its run's object was there. That of another run may have
    /// replaced it before the book had the first one. A backfill that goes on after midnight asks for one month again, to see a split.
    pub fn is_had(&self, work: &Work, query: &BTreeMap<&str, String>, now: Timestamp) -> Option<String> {
        let file = if query["interval"] == "1day" { "candles" } else { &query["start_date"][..7] };
        let key = format!("raw/interval={}/symbol={}/{file}.csv", query["interval"], query["symbol"]);
        let written = self.written.lock().unwrap();
        let (run, at, time) = written.get(&key)?;
        let is_same_day = time.as_second().div_euclid(86_400) == now.as_second().div_euclid(86_400);
        let is_of_run = work.run.as_ref() == Some(run);
        (is_of_run && *at < work.began_at && is_same_day).then(|| format!("{run} {key}"))
    }

    /// No object that was written lacked a candle that was stored before.
    pub fn check(&self) {
        assert_eq!(*self.lost.lock().unwrap(), Vec::<String>::new(), "stored candles were lost");
        let candles = self.candles.lock().unwrap();
        assert!(candles.len() >= 3, "hardly anything was stored: {:?}", candles.keys());
    }

    fn note(&self, key: &str, object: &NewObject) {
        let metadata = RawMetadata::read(&object.metadata).unwrap();
        let what = (metadata.run.unwrap(), Instant::now(), metadata.fetched_at.unwrap());
        self.written.lock().unwrap().insert(key.to_owned(), what);
        let mut candles = self.candles.lock().unwrap();
        let there = rows(&object.body);
        let known = candles.entry(key.to_owned()).or_default();
        let missing = known.difference(&there).map(|time| format!("{key} {time}"));
        self.lost.lock().unwrap().extend(missing);
        known.extend(there);
    }
}

/// The result of a future that is ready at once, as those of a bucket in memory are.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(ready) => ready,
        std::task::Poll::Pending => panic!("memory lets nobody wait"),
    }
}

fn rows(body: &[u8]) -> BTreeSet<String> {
    let text = std::str::from_utf8(body).unwrap();
    text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

#[async_trait]
impl ObjectStore for Durable {
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
        self.inner.get_within(key, most).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        self.inner.head(key).await
    }

    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
        let put = self.inner.put(key, object.clone(), condition).await?;
        if let Put::Written { .. } = put {
            self.note(key, &object);
        }
        Ok(put)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.inner.list(prefix).await
    }
}

/// What a process has of the book of runs.
struct BookHand {
    book: Arc<Book>,
    life: Arc<Life>,
}

/// Calls the book, and may die before it and after it.
macro_rules! with {
    ($hand:expr, $($call:tt)*) => {{
        $hand.life.call().await;
        let returned = $hand.book.$($call)*.await;
        $hand.life.call().await;
        returned
    }};
}

#[async_trait]
impl Runs for BookHand {
    async fn begin(&self, run: &Run, message: &str, now: Timestamp) -> Result<bool, RunsError> {
        with!(self, begin(run, message, now))
    }

    async fn pages(&self, run: &str) -> Result<Option<u32>, RunsError> {
        self.life.call().await;
        Runs::pages(&*self.book, run).await
    }

    async fn expect(&self, run: &str, series: &[Series]) -> Result<(), RunsError> {
        with!(self, expect(run, series))
    }

    async fn page_done(&self, run: &str, page: u32, is_last: bool) -> Result<(), RunsError> {
        with!(self, page_done(run, page, is_last))
    }

    async fn waits(&self, run: &str, reason: &str) -> Result<(), RunsError> {
        with!(self, waits(run, reason))
    }

    async fn give_up(&self, run: &str, reason: &str) -> Result<(), RunsError> {
        with!(self, give_up(run, reason))
    }

    async fn is_fetched(&self, run: &str, series: &Series) -> Result<bool, RunsError> {
        with!(self, is_fetched(run, series))
    }

    async fn fetched(&self, run: &str, series: &Series, written: &[Written]) -> Result<(), RunsError> {
        with!(self, fetched(run, series, written))
    }

    async fn failed(&self, run: &str, series: &Series, reason: &str) -> Result<(), RunsError> {
        with!(self, failed(run, series, reason))
    }

    async fn newest_whole(&self, by: Timestamp) -> Result<Option<Timestamp>, RunsError> {
        with!(self, newest_whole(by))
    }
}

/// What stays when a process dies.
#[derive(Clone)]
pub struct World {
    pub store: Arc<Durable>,
    pub queue: Arc<MemoryQueue>,
    pub dead_letters: Arc<MemoryQueue>,
    pub book: Arc<Book>,
    pub api: Arc<Api>,
    watchlist: Arc<MemoryStore>,
    now: Now,
}

impl World {
    pub fn new(dice: &mut StdRng) -> Self {
        let begun = Instant::now();
        let now: Now = Arc::new(move || start() + SignedDuration::try_from(begun.elapsed()).unwrap());
        let store = Arc::<Durable>::default();
        let api = Api::new(Arc::clone(&now), Arc::clone(&store), dice);
        let watchlist = Arc::<MemoryStore>::default();
        let text = format!("[groups.a]\nsymbols = {SYMBOLS:?}\nintervals = {INTERVALS:?}\nhistory = \"2024-11-25\"\n");
        let object = NewObject::csv(text.into(), BTreeMap::new());
        ready(watchlist.put("watchlist.toml", object, PutIf::Always)).unwrap();
        Self { store, queue: Arc::default(), dead_letters: Arc::default(), book: Arc::default(), api, watchlist, now }
    }

    /// The watchlist's series.
    pub fn series(&self) -> Vec<String> {
        SYMBOLS.iter().flat_map(|symbol| INTERVALS.map(|interval| format!("{symbol} {interval}"))).collect()
    }

    /// Asks for two runs, some hours apart, and sends some of the messages in the queue once more, late.
    pub async fn ask_and_disorder(&self, mut dice: StdRng) {
        for run in RUNS {
            let body = format!(r#"{{"kind":"refresh","run":"{run}"}}"#);
            for _ in 0..dice.random_range(1..3) {
                let delay = Duration::from_millis(dice.random_range(0..20_000));
                let message = NewMessage { body: body.clone(), ..NewMessage::default() };
                self.queue.send_after(&message, delay).await.unwrap();
            }
            for _ in 0..6 {
                sleep(Duration::from_secs(dice.random_range(0..30))).await;
                let doubled = self.queue.messages().into_iter().filter(|_| dice.random_bool(0.1)).collect::<Vec<_>>();
                for message in doubled {
                    let delay = Duration::from_secs(dice.random_range(0..300));
                    self.queue.send_after(&message, delay).await.unwrap();
                }
            }
            // Mostly both at once; a day apart costs a simulation thousands of empty receives.
            let longest = if dice.random_bool(0.04) { 40_000 } else { 60 };
            sleep(Duration::from_secs(dice.random_range(0..longest))).await;
        }
    }

    /// Starts a process, which lives until that call, or for ever.
    pub fn start(&self, most: u64, seed: u64) -> Arc<Life> {
        let life = Life::new(most, seed);
        let client = Client::over(Arc::new(Line { api: Arc::clone(&self.api), life: Arc::clone(&life) }));
        let pool = CreditPool::new(Plan::default(), Arc::clone(&self.now), Clock::Real, Arc::new(LogNotifier));
        let queue = Arc::new(MeteredQueue::new(Hand::new(&self.queue, &life), client.clone(), pool));
        let consumer = Consumer {
            stage: "ingest",
            queue: queue.clone(),
            dead_letters: Hand::new(&self.dead_letters, &life),
            notifier: Arc::new(LogNotifier),
            protection: None,
            policy: policy(),
        };
        let location = Location::Object { bucket: "b".to_owned(), key: "watchlist.toml".to_owned() };
        let list = Hand::new(&self.watchlist, &life);
        let ingest = Ingest {
            client,
            store: Hand::new(&self.store, &life),
            queue,
            notifier: Arc::new(LogNotifier),
            watchlist: Arc::new(WatchlistSource::new(location, |_| list, Arc::new(LogNotifier))),
            runs: Arc::new(BookHand { book: Arc::clone(&self.book), life: Arc::clone(&life) }),
            pause: Duration::from_secs(2),
            now: Arc::clone(&self.now),
        };
        let handler = MessageService::new(service_fn(move |delivery: Delivery| {
            let work = Work::on(&delivery.body);
            WORK.scope(work, handle(ingest.clone(), delivery))
        }));
        // It is not stopped: it dies, or stays until the runtime's end.
        tokio::spawn(consumer.run(handler, CancellationToken::new()));
        life
    }

    pub async fn until_empty(&self) {
        let empty = async {
            while !self.queue.bodies().is_empty() {
                sleep(Duration::from_secs(60)).await;
            }
        };
        timeout(Duration::from_secs(14 * 86_400), empty).await.unwrap();
    }
}

fn policy() -> Policy {
    let retry = Backoff { first: Duration::from_secs(10), most: Duration::from_secs(600) };
    Policy { most_lost: MOST_LOST, retry, attempts: 8, ..Policy::new(4, Duration::from_secs(30)) }
}
