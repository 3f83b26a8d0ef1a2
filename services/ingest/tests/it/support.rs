//! A handler between a simulated API, a bucket and a queue.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use candlewick_ingest::client::Client;
use candlewick_ingest::handler::Ingest;
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::ports::queue::{Attributes, Message, Queue, Receipt};
use candlewick_shared::ports::store::{Object, ObjectStore};
use candlewick_shared::runtime::outcome::{Outcome, Setback};
use candlewick_simulator::fault_text::parse_faults;
use candlewick_simulator::settings::Settings;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The key to the API: no error may show it.
pub const KEY: &str = "a-very-secret-key";

/// Half a minute after ten, after the close in New York: where the simulator's real candles end.
pub const NOW: &str = "2024-12-30T22:00:30Z";

pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A handler between a simulated API, a bucket and a queue.
pub struct World {
    pub store: Arc<MemoryStore>,
    pub queue: Arc<MemoryQueue>,
    /// Where the API is: no error may show it.
    pub url: String,
    watchlist: PathBuf,
    _dir: tempfile::TempDir,
    _stop: DropGuard,
}

pub async fn world(settings: Settings) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, dir) = (CancellationToken::new(), tempfile::tempdir().unwrap());
    // It stands still, so that no minute ends during a test.
    let clock = Clock::Simulated { start: NOW.parse().unwrap(), anchor: Timestamp::now(), rate: 1e-12 };
    let settings = Settings { clock, key: Some(KEY.to_owned()), ..settings };
    tokio::spawn(candlewick_simulator::serve(listener, settings, stop.clone().cancelled_owned()));
    let watchlist = dir.path().join("watchlist.toml");
    std::fs::write(&watchlist, "[groups.a]\nsymbols = [\"AAPL\", \"MSFT\"]\nintervals = [\"1day\", \"1h\"]\n").unwrap();
    let (store, queue) = (Arc::default(), Arc::default());
    World { store, queue, url, watchlist, _dir: dir, _stop: stop.drop_guard() }
}

/// A world whose API goes wrong at every request.
pub async fn faulty(faults: &str) -> World {
    world(Settings { faults: parse_faults(faults).unwrap(), ..Settings::default() }).await
}

impl World {
    pub async fn deliver(&self, body: &str) -> Outcome {
        self.deliver_with(body, KEY).await
    }

    pub async fn deliver_with(&self, body: &str, key: &str) -> Outcome {
        let ingest = Ingest {
            client: Client::new(&self.url, key.into()).unwrap(),
            store: Arc::clone(&self.store) as Arc<dyn ObjectStore>,
            queue: Arc::clone(&self.queue) as Arc<dyn Queue>,
            watchlist: self.watchlist.clone(),
            now: Arc::new(|| NOW.parse().unwrap()),
        };
        let message = Message {
            id: "message-1".to_owned(),
            receipt: Receipt("receipt".to_owned()),
            body: body.to_owned(),
            receive_count: 1,
            attributes: Attributes::new(),
        };
        ingest.handle(Arc::new(message)).await
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

    pub fn no_text_shows_url_or_key(&self, outcome: &Outcome) {
        let text = format!("{outcome:?}");
        let address = self.url.strip_prefix("http://").unwrap();
        assert!(!text.contains(KEY) && !text.contains(address) && !text.contains("apikey "), "{text}");
    }
}

/// The message that asks for one series.
pub fn fetch(symbol: &str, interval: &str) -> String {
    format!(r#"{{"kind":"fetch","run":"run-1","symbol":"{symbol}","interval":"{interval}","traceparent":"{TRACE}"}}"#)
}

/// The class of a permanent failure.
pub fn class(outcome: &Outcome) -> &'static str {
    match outcome {
        Err(Setback::Permanent(failure)) => failure.class,
        other => panic!("no permanent failure: {other:?}"),
    }
}
