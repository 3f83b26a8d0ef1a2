//! What is spent, and when nothing is: the consumer on a metered queue, in a time that goes fast.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use candlewick_ingest::credits::budget::Plan;
use candlewick_ingest::handler::handle;
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::ports::notifier::{Kind, Notifier};
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::runtime::backoff::Backoff;
use candlewick_shared::runtime::layers::MessageService;
use candlewick_shared::runtime::{consumer::Consumer, policy::Policy};
use candlewick_simulator::credits;
use candlewick_simulator::settings::Settings;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use crate::support::{KEY, World, fast, fetch, moving};

/// Ingest as it runs, until it is stopped.
pub struct Running {
    pub world: World,
    pub dead: Arc<MemoryQueue>,
    stop: CancellationToken,
    consumer: JoinHandle<()>,
}

impl Running {
    pub fn start(world: World, plan: Plan) -> Self {
        let ingest = world.ingest(plan, KEY);
        let dead = Arc::<MemoryQueue>::default();
        let stop = CancellationToken::new();
        let mut policy = Policy::new(16, Duration::from_secs(60));
        policy.retry = Backoff { first: Duration::from_millis(300), most: Duration::from_secs(5) };
        let consumer = Consumer {
            stage: "ingest",
            queue: ingest.queue.clone(),
            dead_letters: dead.clone(),
            notifier: Arc::clone(&world.heard) as Arc<dyn Notifier>,
            protection: None,
            policy,
        };
        let handler = MessageService::new(service_fn(move |delivery| handle(ingest.clone(), delivery)));
        let consumer = tokio::spawn(consumer.run(handler, stop.clone()));
        Self { world, dead, stop, consumer }
    }

    /// Waits until the bucket has so many objects.
    pub async fn until_fetched(&self, objects: usize) {
        let wait = async {
            while self.world.store.keys().len() < objects {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = timeout(Duration::from_secs(120), wait).await;
        waited.unwrap_or_else(|_| panic!("{} of {objects} objects", self.world.store.keys().len()));
    }

    pub async fn stop(self) -> World {
        self.stop.cancel();
        self.consumer.await.unwrap();
        self.world
    }
}

pub async fn send(world: &World, symbols: &[String]) {
    let message = |symbol: &String| NewMessage { body: fetch(symbol, "1day"), ..NewMessage::default() };
    world.queue.send(&symbols.iter().map(message).collect::<Vec<_>>()).await.unwrap();
}

pub fn made_up(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("T{at}")).collect()
}

/// An account with these limits.
pub fn account(per_minute: u32, per_day: Option<u32>) -> Settings {
    let plan = credits::Plan { category: "test".to_owned(), per_minute, per_day };
    Settings { plan, ..Settings::default() }
}

/// The requests of each minute, the question about the account among them; none may have been refused.
async fn minutes(world: &World) -> BTreeMap<String, u64> {
    let mut minutes = BTreeMap::new();
    for path in ["/time_series", "/api_usage"] {
        for entry in world.asked(path).await {
            assert_ne!(entry["status"], 429, "{entry}");
            let minute = entry["at"].as_str().unwrap()[..16].to_owned();
            *minutes.entry(minute).or_default() += entry["credits"].as_u64().unwrap();
        }
    }
    minutes
}

#[tokio::test]
async fn a_minute_spends_what_the_api_says_it_has_and_no_more() {
    // A minute is three seconds of the machine.
    let world = moving(account(5, None), fast("2024-12-30T22:00:05Z", 20.0)).await;
    send(&world, &made_up(11)).await;
    let running = Running::start(world, Plan::default());
    running.until_fetched(11).await;
    let world = running.stop().await;
    let minutes = minutes(&world).await;
    assert!(minutes.values().all(|spent| *spent <= 5), "{minutes:?}");
    assert_eq!(minutes.values().sum::<u64>(), 12);
}

#[tokio::test]
async fn what_the_owner_allows_is_the_limit_where_it_is_less() {
    let world = moving(account(100, None), fast("2024-12-30T22:00:05Z", 20.0)).await;
    send(&world, &made_up(5)).await;
    let running = Running::start(world, Plan { per_minute: Some(2), per_day: None });
    running.until_fetched(5).await;
    let minutes = minutes(&running.stop().await).await;
    assert!(minutes.values().all(|spent| *spent <= 3), "the question for the account and two: {minutes:?}");
}

#[tokio::test]
async fn the_end_of_the_days_credits_stops_receiving_tells_once_and_passes_by_itself() {
    // A minute to midnight, six seconds of the machine.
    let world = moving(account(100, Some(4)), fast("2024-12-30T23:59:00Z", 10.0)).await;
    send(&world, &made_up(6)).await;
    let running = Running::start(world, Plan::default());
    running.until_fetched(3).await;
    let waiting = running.world.queue.bodies().len();
    running.until_fetched(6).await;
    let dead = running.dead.bodies();
    let world = running.stop().await;
    let asked = world.asked("/time_series").await;
    let days: Vec<_> = asked.iter().map(|entry| &entry["at"].as_str().unwrap()[..10]).collect();
    assert_eq!(days, ["2024-12-30", "2024-12-30", "2024-12-30", "2024-12-31", "2024-12-31", "2024-12-31"]);
    assert!(waiting >= 3 && asked.iter().all(|entry| entry["status"] == 200), "{waiting} {asked:?}");
    assert_eq!((world.heard.kinds(), dead), (vec![Kind::CreditsGone], vec![]));
    // At the start, because an earlier process may have reported yesterday's; and at midnight.
    let of_credits = world.heard.resolved().into_iter().filter(|kind| *kind == Kind::CreditsGone);
    assert_eq!(of_credits.count(), 2);
    assert!(world.heard.text().contains("2024-12-31T00:00:01Z"), "{}", world.heard.text());
}

#[tokio::test]
async fn a_restart_does_not_forget_what_the_day_has_spent() {
    let world = moving(account(100, Some(3)), fast("2024-12-30T12:00:30Z", 1.0)).await;
    send(&world, &made_up(2)).await;
    let running = Running::start(world, Plan::default());
    running.until_fetched(2).await;
    let world = running.stop().await;
    send(&world, &["T9".to_owned()]).await;
    let running = Running::start(world, Plan::default());
    let told = async {
        while running.world.heard.kinds().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), told).await.expect("the owner hears of it");
    let world = running.stop().await;
    assert_eq!((world.asked("/time_series").await.len(), world.heard.kinds()), (2, vec![Kind::CreditsGone]));
}

#[tokio::test]
async fn refusals_for_want_of_credits_that_others_spent_are_waited_out() {
    let world = moving(account(100, None), fast("2024-12-30T22:00:30Z", 60.0)).await;
    world.set("faults", json!({"rules": [{"kind": "429-minute", "path": "/time_series", "times": 3}]})).await;
    send(&world, &made_up(6)).await;
    let running = Running::start(world, Plan::default());
    running.until_fetched(6).await;
    assert_eq!(running.dead.bodies(), Vec::<String>::new());
    running.stop().await;
}

#[tokio::test]
async fn symbols_that_always_fail_starve_nobody() {
    let world = moving(account(4, None), fast("2024-12-30T22:00:30Z", 60.0)).await;
    let failing: Vec<_> = (0..4).map(|at| format!("BAD{at}")).collect();
    let rules: Vec<_> = failing.iter().map(|symbol| json!({"kind": "500", "symbol": symbol})).collect();
    world.set("faults", json!({"rules": rules})).await;
    // They come first, and are as many as a minute has credits.
    send(&world, &failing).await;
    send(&world, &made_up(12)).await;
    let running = Running::start(world, Plan::default());
    running.until_fetched(12).await;
    let world = running.stop().await;
    assert!(world.asked("/time_series").await.len() >= 16, "each of the failing was tried");
}
