//! A database, a bucket in memory, and a dashboard that listens on this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_dashboard::answers::Answers;
use candlewick_dashboard::app::App;
use candlewick_dashboard::auth::Secrets;
use candlewick_dashboard::config::Guard;
use candlewick_dashboard::connection::Patience;
use candlewick_dashboard::headers::FrameAncestors;
use candlewick_dashboard::live::{Hub, listen};
use candlewick_dashboard::places::Places;
use candlewick_dashboard::read::queues::{Queues, ShownLetter, Unreachable, WatchedQueue};
use candlewick_dashboard::server::{self as http, Limits};
use candlewick_dashboard::turns::Turns;
use candlewick_dashboard::{read, router};
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_test_support::server;
use jiff::SignedDuration;
use reqwest::{Client, Response};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The maximum number of event streams.
pub const LISTENERS: usize = 3;

/// A symbol that a page must escape.
pub const SCRIPT: &str = "<script>alert(1)</script>";

/// Queues with the contents that a test sets.
#[derive(Default)]
pub struct TestQueues {
    pub letters: Mutex<Option<Vec<ShownLetter>>>,
}

#[async_trait]
impl Queues for TestQueues {
    async fn depths(&self) -> Result<Vec<WatchedQueue>, Unreachable> {
        self.dead_letters().await.map(|_| Vec::new())
    }

    async fn dead_letters(&self) -> Result<Vec<ShownLetter>, Unreachable> {
        self.letters.lock().unwrap().clone().ok_or(Unreachable("no credentials".to_owned()))
    }
}

/// A database, a bucket in memory, and a dashboard that listens on this machine.
pub struct World {
    /// The database, as its owner.
    pub owner: PgPool,
    /// The same database with the dashboard's rights.
    pub pool: PgPool,
    pub store: Arc<MemoryStore>,
    pub queues: Arc<TestQueues>,
    pub ingest: Arc<MemoryQueue>,
    pub hub: Hub,
    pub address: SocketAddr,
    client: Client,
}

impl World {
    pub async fn new() -> Self {
        let options = server::new_database().await;
        let owner = PgPoolOptions::new().max_connections(2).connect_with(options.clone()).await.unwrap();
        let pool = PgPoolOptions::new().max_connections(4).connect_with(read::session(options)).await.unwrap();
        let hub = Hub::new(Places::new(LISTENERS, LISTENERS), CancellationToken::new());
        tokio::spawn(listen::listen(pool.clone(), hub.clone(), hub.stop.clone()));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = Arc::new(MemoryStore::default());
        let queues = Arc::new(TestQueues::default());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let ingest = Arc::new(MemoryQueue::default());
        let mut world = Self { owner, pool, store, queues, ingest, hub, address, client: Client::new() };
        world.address = world.listen(None, 10_000).await;
        world
    }

    /// Starts another dashboard on the same database, with these guards.
    pub async fn listen(&self, secrets: Option<Secrets>, requests_per_second: u32) -> SocketAddr {
        let requests_per_second = NonZeroU32::new(requests_per_second).unwrap();
        self.serve(self.app(), Guard { secrets, requests_per_second, ..open_guard() }).await
    }

    /// Starts another dashboard.
    pub async fn serve(&self, app: App, guard: Guard) -> SocketAddr {
        self.serve_within(app, guard, Limits { places: Places::new(512, 512), patience: Patience::default() }).await
    }

    /// Starts another dashboard with these limits for its clients.
    pub async fn serve_within(&self, app: App, guard: Guard, limits: Limits) -> SocketAddr {
        let router = router::router(app, &guard);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(http::serve_on(listener, router, limits, self.hub.stop.clone()));
        address
    }

    pub fn app(&self) -> App {
        App {
            pool: self.pool.clone(),
            store: self.store.clone(),
            queues: self.queues.clone(),
            ingest: Some(self.ingest.clone()),
            now: Arc::new(|| "2024-12-31T12:00:00Z".parse().unwrap()),
            watchlist: None,
            dashboards: Arc::default(),
            stale_after: SignedDuration::from_hours(26),
            hub: self.hub.clone(),
            turns: Turns::default(),
            answers: Answers::default(),
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.ask(self.address, path, headers).await
    }

    pub async fn ask(&self, address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.get(format!("http://{address}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> serde_json::Value {
        let response = self.get(path).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn page(&self, path: &str) -> String {
        let response = self.get_with(path, &[("accept", "text/html")]).await;
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.text().await.unwrap()
    }

    pub async fn put(&self, key: &str, body: &str) {
        let object = NewObject::csv(body.into(), Metadata::new());
        self.store.put(key, object, PutIf::Always).await.unwrap();
    }

    pub async fn run(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.owner).await.unwrap();
    }

    /// Loads an object of daily candles, starting at a date, with exactly these closes.
    pub async fn load(&self, symbol: &str, first: &str, closes: &[&str]) -> i64 {
        let key = format!("transformed/interval=1day/symbol={}/candles.csv", symbol.replace('/', "%2F"));
        let insert = "insert into objects (key, symbol, interval, etag, rows_total, raw_written, fetched_at, transformed_at,
                run, trace_id, raw_key, raw_etag, first_time)
            values ($1, $2, '1day', 'e1', $3, '2024-12-30T22:00:00Z', '2024-12-30T22:00:01Z', '2024-12-30T22:00:02Z', 'run-1',
                '0af7651916cd43dd8448eb211c80319c', replace($1, 'transformed', 'raw'), 'r1',
                $4::date::timestamp at time zone 'UTC')
            on conflict (key) do update set rows_total = excluded.rows_total returning id";
        let id: i64 = sqlx::query_scalar(insert)
            .bind(&key)
            .bind(symbol)
            .bind(closes.len() as i64)
            .bind(first)
            .fetch_one(&self.owner)
            .await
            .unwrap();
        let rows = "insert into candles select $1, '1day', $2::date::timestamp at time zone 'UTC' + (n - 1) * interval '1 day',
                c::numeric, c::numeric + 1, c::numeric - 0.5, c::numeric, 100 * n, false, $4
            from unnest($3::text[]) with ordinality as t (c, n)";
        let query = sqlx::query(rows).bind(symbol).bind(first).bind(closes).bind(id);
        query.execute(&self.owner).await.unwrap();
        let loaded = "update objects set loaded_at = coalesce(loaded_at, '2024-12-30T22:00:04Z'::timestamptz) + interval '1 second'
            where id = $1";
        sqlx::query(loaded).bind(id).execute(&self.owner).await.unwrap();
        id
    }
}

/// Guards that let everybody through.
pub fn open_guard() -> Guard {
    let requests_per_second = NonZeroU32::new(10_000).unwrap();
    Guard {
        secrets: None,
        write_token: None,
        requests_per_second,
        patience: Duration::from_secs(20),
        trusted_proxies: 0,
        frame_ancestors: FrameAncestors::default(),
    }
}

/// The text of a header; empty if it is absent.
pub fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
