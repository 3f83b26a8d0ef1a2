//! A handler between a simulated API, a bucket and a queue.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_ingest::context::Ingest;
use candlewick_ingest::credits::budget::Plan;
use candlewick_ingest::credits::metered_queue::MeteredQueue;
use candlewick_ingest::credits::pool::CreditPool;
use candlewick_ingest::fetch::client::Client;
use candlewick_ingest::handler::handle;
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::adapters::system_clock;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::alert::State;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::metadata::RawMetadata;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::notifier::{Alert, Kind, Notifier};
use candlewick_shared::ports::queue::{Attributes, Message, Queue, Receipt};
use candlewick_shared::ports::runs::Runs;
use candlewick_shared::ports::store::{Object, ObjectStore};
use candlewick_shared::runtime::outcome::{Outcome, Setback};
use candlewick_simulator::fault_text::parse_faults;
use candlewick_simulator::settings::Settings;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::book::Book;

/// The key to the API: no error may show it.
pub const KEY: &str = "a-very-secret-key";

/// Half a minute after ten, after the close in New York: where the simulator's real candles end.
pub const NOW: &str = "2024-12-30T22:00:30Z";

pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// More credits than any test spends.
pub const PLENTY: Plan = Plan { per_minute: Some(1_000_000), per_day: None };

/// A notifier that remembers.
#[derive(Default)]
pub struct Heard(Mutex<Vec<Alert>>);

#[async_trait]
impl Notifier for Heard {
    async fn notify(&self, alert: Alert) {
        self.0.lock().unwrap().push(alert);
    }
}

impl Heard {
    /// The kinds of the alerts that were raised.
    pub fn kinds(&self) -> Vec<Kind> {
        self.of(State::Firing)
    }

    /// The kinds of the alerts that were resolved.
    pub fn resolved(&self) -> Vec<Kind> {
        self.of(State::Resolved)
    }

    /// The alerts of a kind that count: those of one cause are one.
    pub fn told(&self, kind: Kind, state: State) -> Vec<Alert> {
        let mut causes = BTreeSet::new();
        let alerts = self.0.lock().unwrap();
        let of_kind = alerts.iter().filter(|alert| alert.kind == kind && alert.state == state);
        of_kind.filter(|alert| alert.cause.is_none() || causes.insert(alert.cause.clone())).cloned().collect()
    }

    fn of(&self, state: State) -> Vec<Kind> {
        let alerts = self.0.lock().unwrap();
        alerts.iter().filter(|alert| alert.state == state).map(|alert| alert.kind).collect()
    }

    pub fn text(&self) -> String {
        self.0.lock().unwrap().iter().map(|alert| format!("{} {}\n", alert.subject, alert.text)).collect()
    }
}

/// A handler between a simulated API, a bucket and a queue.
pub struct World {
    pub store: Arc<MemoryStore>,
    pub queue: Arc<MemoryQueue>,
    pub heard: Arc<Heard>,
    /// Where the API is: no error may show it.
    pub url: String,
    pub now: Now,
    pub book: Arc<Book>,
    pub watchlist: PathBuf,
    /// The list is one source for all deliveries, as in a service.
    source: Arc<WatchlistSource>,
    clock: Clock,
    _dir: tempfile::TempDir,
    _stop: DropGuard,
}

/// A time that does not move, so that no minute ends during a test.
fn still(now: &str) -> Clock {
    Clock::Simulated { start: now.parse().unwrap(), anchor: Timestamp::now(), rate: 1e-12 }
}

/// A time that moves so many times as fast as a wall clock.
pub fn fast(start: &str, rate: f64) -> Clock {
    Clock::Simulated { start: start.parse().unwrap(), anchor: Timestamp::now(), rate }
}

pub async fn world(settings: Settings) -> World {
    World { now: Arc::new(|| NOW.parse().unwrap()), clock: Clock::Real, ..moving(settings, still(NOW)).await }
}

/// A world whose API goes wrong at every request.
pub async fn faulty(faults: &str) -> World {
    world(Settings { faults: parse_faults(faults).unwrap(), ..Settings::default() }).await
}

/// A world in which this clock goes.
pub async fn moving(settings: Settings, clock: Clock) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { clock, key: Some(KEY.to_owned()), ..settings };
    tokio::spawn(candlewick_simulator::serve(listener, settings, stop.clone().cancelled_owned()));
    let watchlist = dir.path().join("watchlist.toml");
    std::fs::write(&watchlist, "[groups.a]\nsymbols = [\"AAPL\", \"MSFT\"]\nintervals = [\"1day\", \"1h\"]\n").unwrap();
    let store = Arc::default();
    let queue = Arc::default();
    let heard = Arc::<Heard>::default();
    let now = system_clock::now(clock);
    let book = Arc::default();
    let notifier = Arc::clone(&heard) as Arc<dyn Notifier>;
    let source = Arc::new(WatchlistSource::file(watchlist.clone(), notifier));
    World { store, queue, heard, url, now, book, watchlist, source, clock, _dir: dir, _stop: stop.drop_guard() }
}

impl World {
    /// The same bucket and watchlist at another time, with an API that has not been asked yet.
    pub async fn at(&self, now: &str) -> Self {
        let time: Timestamp = now.parse().unwrap();
        let world = moving(Settings::default(), still(now)).await;
        std::fs::copy(&self.watchlist, &world.watchlist).unwrap();
        World { store: Arc::clone(&self.store), now: Arc::new(move || time), clock: Clock::Real, ..world }
    }

    /// Sets how far back the watchlist says that history reaches: years, or a date.
    pub fn reach_back(&self, history: &str) {
        let list = format!("[groups.a]\nsymbols = [\"AAPL\"]\nhistory = {history}\n");
        std::fs::write(&self.watchlist, list).unwrap();
    }

    pub fn client(&self, key: &str) -> Client {
        Client::new(&self.url, &key.into()).unwrap()
    }

    /// A handler as a process has it that was just started.
    pub fn ingest(&self, plan: Plan, key: &str) -> Ingest {
        let client = self.client(key);
        let notifier = Arc::clone(&self.heard) as Arc<dyn Notifier>;
        let pool = CreditPool::new(plan, Arc::clone(&self.now), self.clock, Arc::clone(&notifier));
        let queue = Arc::new(MeteredQueue::new(self.queue.clone(), client.clone(), pool));
        let store = Arc::clone(&self.store) as Arc<dyn ObjectStore>;
        let now = Arc::clone(&self.now);
        let watchlist = Arc::clone(&self.source);
        let runs = Arc::clone(&self.book) as Arc<dyn Runs>;
        Ingest { client, store, queue, notifier, watchlist, runs, pause: Duration::ZERO, now }
    }

    pub async fn deliver(&self, body: &str) -> Outcome {
        deliver(self.ingest(PLENTY, KEY), body).await
    }

    pub async fn deliver_with(&self, body: &str, key: &str) -> Outcome {
        deliver(self.ingest(PLENTY, key), body).await
    }

    /// Delivers a message with an id of its own.
    pub async fn deliver_as(&self, id: &str, body: &str) -> Outcome {
        deliver_as(id, self.ingest(PLENTY, KEY), body).await
    }

    /// What the queue holds.
    pub async fn messages(&self) -> Vec<IngestMessage> {
        let mut all = Vec::new();
        while self.queue.depth().await.unwrap().waiting > 0 {
            let messages = self.queue.receive(10, Duration::from_secs(60)).await.unwrap();
            all.extend(messages.iter().map(|message| serde_json::from_str(&message.body).unwrap()));
        }
        all
    }

    pub async fn object(&self, key: &str) -> Object {
        self.store.get(key).await.unwrap().unwrap_or_else(|| panic!("there is no {key}"))
    }

    pub async fn lines(&self, key: &str) -> Vec<String> {
        let object = self.object(key).await;
        String::from_utf8(object.body.to_vec()).unwrap().lines().skip(1).map(str::to_owned).collect()
    }

    pub async fn metadata(&self, key: &str) -> RawMetadata {
        RawMetadata::read(&self.object(key).await.info.metadata).unwrap()
    }

    /// What the API was asked for at a path, oldest first.
    pub async fn asked(&self, path: &str) -> Vec<Value> {
        let url = format!("{}/_simulator/requests", self.url);
        let body = reqwest::Client::new().get(url).send().await.unwrap().bytes().await.unwrap();
        let mut log: Value = serde_json::from_slice(&body).unwrap();
        let Value::Array(all) = log["requests"].take() else { panic!("no log") };
        all.into_iter().filter(|entry| entry["path"] == path).collect()
    }

    /// Sets something of the API at its control endpoints.
    pub async fn set(&self, what: &str, body: Value) {
        let url = format!("{}/_simulator/{what}", self.url);
        let response = reqwest::Client::new().put(url).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
    }

    pub fn no_text_shows_url_or_key(&self, outcome: &Outcome) {
        let text = format!("{outcome:?}");
        let address = self.url.strip_prefix("http://").unwrap();
        assert!(!text.contains(KEY) && !text.contains(address) && !text.contains("apikey "), "{text}");
    }
}

pub async fn deliver(ingest: Ingest, body: &str) -> Outcome {
    deliver_as("message-1", ingest, body).await
}

async fn deliver_as(id: &str, ingest: Ingest, body: &str) -> Outcome {
    let message = Message {
        id: id.to_owned(),
        receipt: Receipt("receipt".to_owned()),
        body: body.to_owned(),
        receive_count: 1,
        attributes: Attributes::new(),
    };
    handle(ingest, Arc::new(message)).await
}

/// The message that asks for one series.
pub fn fetch(symbol: &str, interval: &str) -> String {
    fetch_in("run-1", symbol, interval)
}

/// The message of a run that asks for one series.
pub fn fetch_in(run: &str, symbol: &str, interval: &str) -> String {
    format!(r#"{{"kind":"fetch","run":"{run}","symbol":"{symbol}","interval":"{interval}","traceparent":"{TRACE}"}}"#)
}

/// The message of a run that asks for one series, and replaces what is kept of it.
pub fn replace_in(run: &str, symbol: &str, interval: &str) -> String {
    fetch_in(run, symbol, interval).replace(r#""kind":"fetch""#, r#""kind":"fetch","replace":true"#)
}

/// The class of a permanent failure.
pub fn class(outcome: &Outcome) -> &'static str {
    match outcome {
        Err(Setback::Permanent(failure)) => failure.class,
        other => panic!("no permanent failure: {other:?}"),
    }
}
