//! A database, a clock that is set by hand, and the notifier's parts on both.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use candlewick_notifier::alerts::{self, KnownAlert};
use candlewick_notifier::channel::Channel;
use candlewick_notifier::intake::Intake;
use candlewick_notifier::outbox::{self, OutboxDelivery};
use candlewick_notifier::plan::Pace;
use candlewick_notifier::planner;
use candlewick_notifier::sender::Sender;
use candlewick_shared::core::alert::{Alert, AlertEvent, Kind};
use candlewick_shared::core::key::Series;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::queue::{Message, Receipt};
use candlewick_shared::runtime::outcome::Outcome;
use candlewick_test_support::server;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::{mpsc, watch};

pub const PACE: Pace = Pace {
    group_wait: SignedDuration::from_secs(30),
    group_interval: SignedDuration::from_secs(300),
    repeat_interval: SignedDuration::from_secs(43_200),
};

/// The channel of tests that need none of their own.
pub const CHANNEL: &str = "webhook";

/// A database, and the machine's time as seconds since 1970.
#[derive(Clone)]
pub struct World {
    /// The database, as its owner.
    pub owner: PgPool,
    /// The same, with the rights that the notifier has.
    pub pool: PgPool,
    second: Arc<AtomicI64>,
}

impl World {
    pub async fn new() -> Self {
        let options = PgPoolOptions::new().max_connections(5).acquire_timeout(Duration::from_secs(5));
        let database = server::new_database().await;
        let owner = options.clone().max_connections(2).connect_lazy_with(database.clone());
        let pool = options.connect_with(database.options([("role", "notifier_service")])).await.unwrap();
        Self { owner, pool, second: Arc::new(AtomicI64::new(1_000_000)) }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.second.load(Ordering::SeqCst)).unwrap()
    }

    pub fn clock(&self) -> Now {
        let own = self.clone();
        Arc::new(move || own.now())
    }

    pub fn pass(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Delivers an event to the intake.
    pub async fn deliver(&self, event: &AlertEvent) -> Outcome {
        self.deliver_text(&serde_json::to_string(event).unwrap()).await
    }

    pub async fn deliver_text(&self, body: &str) -> Outcome {
        let (wake, _woken) = mpsc::channel(1);
        let intake = Intake { pool: self.pool.clone(), now: self.clock(), wake };
        let message = Message {
            id: "1".to_owned(),
            receipt: Receipt("1".to_owned()),
            body: body.to_owned(),
            receive_count: 1,
            attributes: Default::default(),
        };
        intake.handle(Arc::new(message)).await
    }

    /// Raises an alert about a symbol now.
    pub async fn raise(&self, symbol: &str) {
        self.deliver(&self.event(&format!("{symbol} {}", self.now()), symbol)).await.unwrap();
    }

    pub fn event(&self, id: &str, symbol: &str) -> AlertEvent {
        let series = Series { symbol: symbol.parse().unwrap(), interval: "1day".parse().unwrap() };
        let alert = Alert::new(Kind::DeadLetter, &series, "line 3").class("unreadable_object").series(Some(series));
        AlertEvent { id: id.to_owned(), at: self.now(), stage: "transform".to_owned(), alert }
    }

    pub async fn plan(&self) {
        self.plan_on(&[CHANNEL]).await;
    }

    pub async fn plan_on(&self, channels: &[&str]) {
        let channels: Vec<_> = channels.iter().map(|channel| (*channel).to_owned()).collect();
        planner::queue_due(&self.pool, &channels, &PACE, self.now()).await.unwrap();
    }

    pub async fn claim(&self) -> Option<OutboxDelivery> {
        outbox::claim(&self.pool, CHANNEL, self.now()).await.unwrap()
    }

    /// The subjects of all that was ever put into the outbox.
    pub async fn outbox(&self) -> Vec<String> {
        let query = "select subject from alert_deliveries order by id";
        sqlx::query_scalar(query).fetch_all(&self.pool).await.unwrap()
    }

    pub async fn open(&self) -> Vec<KnownAlert> {
        alerts::open(&mut self.pool.acquire().await.unwrap()).await.unwrap()
    }

    pub fn sender(&self, channel: Arc<dyn Channel>) -> Sender {
        let (_, filled) = watch::channel(());
        Sender { pool: self.pool.clone(), channel, now: self.clock(), filled }
    }

    pub async fn run(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.owner).await.unwrap();
    }
}
