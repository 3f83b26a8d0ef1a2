//! A thousand symbols on the budget of a paid plan: how long the run takes against what its credits allow, and how much
//! memory.
//!
//! `cargo bench -p candlewick-ingest --bench budget` runs it against the simulator on the loopback, in a time that goes ten
//! times as fast as a wall clock; `SYMBOLS`, `CREDITS` (a minute) and `RATE` change that. A machine that cannot serve a minute's
//! requests in a minute measures itself and not the budget: it needs a smaller rate.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails has nothing to tell")]

use std::fmt::Debug;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
use candlewick_shared::adapters::system_clock;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::run::Run;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::ports::runs::{Runs, RunsError, Written};
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, Put, PutIf, StoreError};
use candlewick_shared::runtime::layers::MessageService;
use candlewick_shared::runtime::{consumer::Consumer, policy::Policy};
use candlewick_simulator::credits;
use candlewick_simulator::settings::Settings;
use jiff::Timestamp;
use peak_alloc::PeakAlloc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::service_fn;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A bucket that counts what is put and forgets it, so that what memory is used is the service's and the simulator's.
#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl ObjectStore for Counting {
    async fn get_within(&self, _: &str, _: u64) -> Result<Option<Object>, StoreError> {
        Ok(None)
    }

    async fn head(&self, _: &str) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(None)
    }

    async fn put(&self, _: &str, _: NewObject, _: PutIf) -> Result<Put, StoreError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Put::Written { etag: String::new() })
    }

    async fn list(&self, _: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        Ok(Vec::new())
    }
}

/// A book in which nothing is written.
struct NoBook;

#[async_trait]
impl Runs for NoBook {
    async fn begin(&self, _: &Run, _: &str, _: Timestamp) -> Result<bool, RunsError> {
        Ok(true)
    }

    async fn pages(&self, _: &str) -> Result<Option<u32>, RunsError> {
        Ok(None)
    }

    async fn expect(&self, _: &str, _: &[Series]) -> Result<(), RunsError> {
        Ok(())
    }

    async fn page_done(&self, _: &str, _: u32, _: bool) -> Result<(), RunsError> {
        Ok(())
    }

    async fn waits(&self, _: &str, _: &str) -> Result<(), RunsError> {
        Ok(())
    }

    async fn give_up(&self, _: &str, _: &str) -> Result<(), RunsError> {
        Ok(())
    }

    async fn is_fetched(&self, _: &str, _: &Series) -> Result<bool, RunsError> {
        Ok(false)
    }

    async fn fetched(&self, _: &str, _: &Series, _: &[Written]) -> Result<(), RunsError> {
        Ok(())
    }

    async fn failed(&self, _: &str, _: &Series, _: &str) -> Result<(), RunsError> {
        Ok(())
    }

    async fn newest_whole(&self, _: Timestamp) -> Result<Option<Timestamp>, RunsError> {
        Ok(None)
    }
}

fn setting<T: FromStr>(name: &str, default: T) -> T
where
    T::Err: Debug,
{
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[tokio::main]
async fn main() {
    let symbols = setting("SYMBOLS", 1000);
    let credits = setting("CREDITS", 377);
    let rate = setting("RATE", 10.0);
    let start: Timestamp = "2024-12-30T22:00:00Z".parse().unwrap();
    let clock = Clock::Simulated { start, anchor: Timestamp::now(), rate };
    let url = serve(credits, clock).await;
    let stop = CancellationToken::new();
    let watchlist = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(watchlist.path(), "[groups.a]\nsymbols = [\"T0\"]\n").unwrap();
    let (ingest, store) = service(&url, clock, watchlist.path());
    send(&ingest, symbols).await;
    let running = tokio::spawn(consumer(&ingest).run(handler(ingest), stop.clone()));
    let now = system_clock::now(clock);
    let mut peaks = Vec::new();
    for quarter in 1..=4 {
        MEMORY.reset_peak_usage();
        while store.0.load(Ordering::Relaxed) < symbols * quarter / 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        peaks.push(format!("{:.1} MB", MEMORY.peak_usage_as_mb()));
    }
    let took = now().duration_since(start).as_secs_f64();
    let allowed = 60.0 * symbols as f64 / f64::from(credits);
    stop.cancel();
    running.await.unwrap();
    println!("{symbols} symbols at {credits} credits a minute, the clock {rate} times as fast:");
    println!(
        "  took {took:.1} s of the {allowed:.1} s that the credits allow: {:+.1} %",
        100.0 * (took / allowed - 1.0)
    );
    println!("  memory at most, service and simulator together, in each quarter of the run: {}", peaks.join(", "));
}

async fn serve(per_minute: u32, clock: Clock) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let plan = credits::Plan { category: "bench".to_owned(), per_minute, per_day: None };
    let settings = Settings { clock, plan, ..Settings::default() };
    tokio::spawn(candlewick_simulator::serve(listener, settings, std::future::pending()));
    url
}

fn service(url: &str, clock: Clock, watchlist: &Path) -> (Ingest, Arc<Counting>) {
    let client = Client::new(url, &"key".into()).unwrap();
    let now = system_clock::now(clock);
    let store = Arc::<Counting>::default();
    let pool = CreditPool::new(Plan::default(), Arc::clone(&now), clock, Arc::new(LogNotifier));
    let queue = Arc::new(MeteredQueue::new(Arc::new(MemoryQueue::default()), client.clone(), pool));
    let notifier = Arc::new(LogNotifier);
    let runs = Arc::new(NoBook);
    let watchlist = Arc::new(WatchlistSource::file(watchlist.to_owned(), notifier.clone()));
    (
        Ingest {
            client,
            store: store.clone(),
            queue,
            notifier,
            watchlist,
            runs,
            pause: std::time::Duration::ZERO,
            now,
        },
        store,
    )
}

async fn send(ingest: &Ingest, symbols: usize) {
    let body =
        |at: usize| format!(r#"{{"kind":"fetch","run":"bench","symbol":"T{at}","interval":"1day","traceparent":""}}"#);
    let messages: Vec<_> = (0..symbols).map(|at| NewMessage { body: body(at), ..NewMessage::default() }).collect();
    ingest.queue.send(&messages).await.unwrap();
}

fn consumer(ingest: &Ingest) -> Consumer {
    Consumer {
        stage: "ingest",
        queue: ingest.queue.clone(),
        dead_letters: Arc::new(MemoryQueue::default()),
        notifier: Arc::new(LogNotifier),
        protection: None,
        policy: Policy::new(16, Duration::from_secs(60)),
    }
}

fn handler(ingest: Ingest) -> MessageService {
    MessageService::new(service_fn(move |delivery| handle(ingest.clone(), delivery)))
}
