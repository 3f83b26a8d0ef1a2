use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::core::blame::Blame;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::queue::NewMessage;
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, Put, PutIf, StoreError};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;

/// A store that counts its listings, and cannot read what is archived.
#[derive(Default)]
struct Store {
    inner: MemoryStore,
    listings: AtomicUsize,
    is_thawed: Mutex<bool>,
}

#[async_trait::async_trait]
impl ObjectStore for Store {
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
        if key.contains("archived") && !*self.is_thawed.lock().unwrap() {
            let reason = "it is archived".to_owned();
            let blame = Blame::Message("archived_object");
            return Err(StoreError { operation: "get object", key: key.to_owned(), reason, blame });
        }
        self.inner.get_within(key, most).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        self.inner.head(key).await
    }

    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
        self.inner.put(key, object, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.listings.fetch_add(1, Ordering::SeqCst);
        self.inner.list(prefix).await
    }
}

struct World {
    dir: tempfile::TempDir,
    store: Arc<Store>,
    events: Arc<MemoryQueue>,
    lines: Arc<Mutex<Vec<String>>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl World {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::<Store>::default();
        let events = Arc::<MemoryQueue>::default();
        let lines = Arc::default();
        let copy = RawCopy::open(dir.path(), "raw/").unwrap();
        let progress: Reporter = Arc::new({
            let lines: Arc<Mutex<Vec<String>>> = Arc::clone(&lines);
            move |_: &str, text: &str| lines.lock().unwrap().push(text.to_owned())
        });
        let follower = Follower::new(copy, store.clone(), events.clone(), progress);
        let stop = CancellationToken::new();
        let task = tokio::spawn(follower.run(stop.clone()));
        Self { dir, store, events, lines, stop, task }
    }

    async fn put(&self, key: &str) {
        let object = NewObject::csv(key.into(), Metadata::new());
        self.store.put(key, object, PutIf::Always).await.unwrap();
    }

    async fn announce(&self, key: &str, event: &str) {
        let s3 = serde_json::json!({"bucket": {"name": "b"}, "object": {"key": key}});
        let record = serde_json::json!({"eventVersion": "2.1", "eventName": event, "s3": s3});
        let body = serde_json::json!({"Records": [record]}).to_string();
        self.events.send(&[NewMessage { body, ..NewMessage::default() }]).await.unwrap();
    }

    /// What the next start would put back.
    async fn saved(&self) -> Vec<String> {
        let store = MemoryStore::default();
        RawCopy::open(self.dir.path(), "raw/").unwrap().restore(&store).await.unwrap();
        store.keys()
    }

    fn listings(&self) -> usize {
        self.store.listings.load(Ordering::SeqCst)
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_written_and_removed_is_followed_without_a_listing() {
    let world = World::start();
    sleep(BETWEEN).await;
    for number in 0..25 {
        world.put(&format!("raw/{number}")).await;
        world.announce(&format!("raw/{number}"), "ObjectCreated:Put").await;
    }
    sleep(BETWEEN * 4).await;
    assert_eq!((world.saved().await.len(), world.listings()), (25, 1), "the listing is that of the start");
    world.store.inner.remove("raw/7");
    world.announce("raw/7", "ObjectRemoved:Delete").await;
    sleep(BETWEEN * 2).await;
    assert_eq!((world.saved().await.len(), world.listings()), (24, 1));
    assert!(world.events.bodies().is_empty(), "messages are left");
}

#[tokio::test(start_paused = true)]
async fn a_lost_event_costs_ten_minutes_at_the_most() {
    let world = World::start();
    sleep(BETWEEN).await;
    world.put("raw/a").await;
    sleep(RECONCILE).await;
    assert_eq!(world.saved().await, ["raw/a"]);
    sleep(RECONCILE * 6).await;
    assert!(world.listings() <= 8, "{} listings in an hour", world.listings());
}

#[tokio::test(start_paused = true)]
async fn the_stop_saves_what_nobody_announced() {
    let world = World::start();
    sleep(BETWEEN).await;
    world.put("raw/a").await;
    world.stop.cancel();
    let World { task, dir, .. } = world;
    task.await.unwrap();
    let store = MemoryStore::default();
    assert_eq!(RawCopy::open(dir.path(), "raw/").unwrap().restore(&store).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_saved_is_said_each_minute_and_tried_again() {
    let world = World::start();
    sleep(BETWEEN).await;
    for key in ["raw/archived", "raw/b"] {
        world.put(key).await;
        world.announce(key, "ObjectCreated:Put").await;
    }
    sleep(BETWEEN * 2).await;
    assert_eq!(world.saved().await, ["raw/b"]);
    let said = world.lines();
    assert!(said.len() == 1 && said[0].contains("raw/archived") && said[0].contains("it is archived"), "{said:?}");
    sleep(AGAIN * 3).await;
    assert!((2..=3).contains(&world.lines().len()), "said each minute");
    *world.store.is_thawed.lock().unwrap() = true;
    sleep(AGAIN * 2).await;
    assert_eq!(world.lines().last().unwrap(), "complete again");
    assert_eq!(world.saved().await, ["raw/archived", "raw/b"]);
}

#[tokio::test(start_paused = true)]
async fn while_nothing_is_heard_the_bucket_is_listed_each_minute() {
    let world = World::start();
    sleep(BETWEEN).await;
    world.events.set_fault(Some("the queue is gone"));
    world.put("raw/a").await;
    sleep(AGAIN * 2).await;
    assert_eq!(world.saved().await, ["raw/a"]);
    assert!(world.lines()[0].contains("the queue is gone"));
    world.events.set_fault(None);
    sleep(AGAIN).await;
    assert_eq!(world.lines().last().unwrap(), "complete again");
}
