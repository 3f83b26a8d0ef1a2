//! Whole lives of the service on paused time, over a bucket and queues in memory: each seed runs two processes at a time and
//! kills both at one of their calls, twice; it loses, doubles and delays messages, overwrites objects and writes gzipped ones
//! next to them. In the end every transformed object is made from the newest raw one and has its own report, quarantine
//! and Parquet,
//! the dead letters are those of the broken objects, and nothing is left.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use candlewick_columnar::lines;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::core::key::RawKey;
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::ports::store::{ObjectInfo, ObjectStore};
use candlewick_shared::runtime::objects::{Scope, objects};
use candlewick_shared::runtime::{consumer::Consumer, policy::Policy};
use candlewick_test_support::bucket;
use candlewick_test_support::lives::{Hand, Life, through_seeds};
use candlewick_transform::handler::Transform;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

/// How many seeds a run tries.
const SEEDS: u64 = 1000;

/// How often all processes are killed.
const KILLS: usize = 2;

/// How many processes there are at a time.
const PROCESSES: usize = 2;

/// A message that each of them died with is not to be taken for the killer.
const MOST_LOST: u32 = (KILLS * PROCESSES) as u32 + 1;

const FETCHED: (&str, &str) = ("fetched-at", "2024-12-30T22:00:00Z");

/// What stays when a process dies.
#[derive(Clone, Default)]
struct World {
    store: Arc<MemoryStore>,
    queue: Arc<MemoryQueue>,
    dead_letters: Arc<MemoryQueue>,
}

/// Every third object has a gzipped twin that makes the same transformed object.
fn key(at: usize, is_twin: bool) -> String {
    let gz = if is_twin && at.is_multiple_of(3) { ".gz" } else { "" };
    format!("raw/interval=1day/symbol=S{at}/candles.csv{gz}")
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn event(key: &str) -> NewMessage {
    let s3 = json!({"bucket": {"name": "b"}, "object": {"key": key.replace('=', "%3D"), "size": 60}});
    let record = json!({"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": s3});
    NewMessage { body: json!({"Records": [record]}).to_string(), ..NewMessage::default() }
}

impl World {
    /// Writes objects, one over the other, and reports most of them: late, twice, in any order, or not at all.
    async fn write(&self, dice: &mut StdRng, files: usize) {
        for _ in 0..files * 2 {
            let at = dice.random_range(0..files);
            let key = key(at, dice.random_bool(0.5));
            let body = content(dice, at);
            let body = if key.ends_with(".gz") { gzip(&body) } else { body.into_bytes() };
            bucket::put(&self.store, &key, body, &[FETCHED]).await;
            for _ in 0..dice.random_range(0..3_u32) {
                let delay = Duration::from_millis(dice.random_range(0..20_000));
                self.queue.send_after(&event(&key), delay).await.unwrap();
            }
            sleep(Duration::from_millis(dice.random_range(0..400))).await;
        }
    }

    /// What reconciling does: reports every object once more.
    async fn tell_again(&self) {
        for info in self.store.list("raw/").await.unwrap() {
            self.queue.send(&[event(&info.key)]).await.unwrap();
        }
    }

    /// Runs a process until it dies, or for ever.
    fn start(&self, most: u64, seed: u64) -> Arc<Life> {
        let life = Life::new(most, seed);
        let consumer = Consumer {
            stage: "transform",
            queue: Hand::new(&self.queue, &life),
            dead_letters: Hand::new(&self.dead_letters, &life),
            notifier: Arc::new(LogNotifier),
            protection: None,
            policy: Policy { most_lost: MOST_LOST, ..Policy::new(4, Duration::from_secs(30)) },
        };
        let now = || "2024-12-31T00:00:00Z".parse::<Timestamp>().unwrap();
        let store = Hand::new(&self.store, &life);
        let transform = Transform::new(store, Arc::new(now)).writing_columns(true);
        let scope = Scope { bucket: "b".to_owned(), prefix: "raw/".to_owned(), bytes_in_flight: 1 << 20 };
        let handler = objects(scope, service_fn(move |event| transform.clone().handle(event)));
        // It is not stopped: it dies, or stays with the runtime's end.
        tokio::spawn(consumer.run(handler, CancellationToken::new()));
        life
    }

    /// The raw object that each clean one must be made from.
    async fn newest(&self) -> impl Iterator<Item = ObjectInfo> {
        let mut newest: BTreeMap<String, ObjectInfo> = BTreeMap::new();
        for raw in self.store.list("raw/").await.unwrap() {
            let path = raw.key.trim_end_matches(".gz").to_owned();
            let is_older = |known: &ObjectInfo| (known.last_modified, &known.key) < (raw.last_modified, &raw.key);
            if newest.get(&path).is_none_or(is_older) {
                newest.insert(path, raw);
            }
        }
        newest.into_values()
    }

    async fn until_empty(&self) {
        let empty = async {
            while !self.queue.bodies().is_empty() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        timeout(Duration::from_secs(86_400), empty).await.unwrap();
    }

    async fn check(&self) {
        let mut broken = BTreeSet::new();
        for raw in self.newest().await {
            let path = raw.key.parse::<RawKey>().unwrap().path;
            let clean = self.store.head(&path.transformed_key()).await.unwrap();
            if is_broken(&raw.key) {
                assert_eq!(clean, None, "{}", raw.key);
                broken.insert(raw.key.replace('=', "%3D"));
                continue;
            }
            let origin = TransformedMetadata::read(&clean.unwrap().metadata).unwrap().unwrap();
            assert_eq!((&origin.raw_etag, origin.raw_written), (&raw.etag, raw.last_modified), "{}", raw.key);
            let report = self.store.head(&path.report_key()).await.unwrap().map(|info| info.etag);
            let quarantine = self.store.head(&path.quarantine_key()).await.unwrap().map(|info| info.etag);
            assert_eq!((report, quarantine), (origin.report_etag, origin.quarantine_etag), "{}", raw.key);
            let columns = self.store.get(&path.columnar_key()).await.unwrap().unwrap();
            assert_eq!(Some(&columns.info.etag), origin.columnar_etag.as_ref(), "{}", raw.key);
            let clean = self.store.get(&path.transformed_key()).await.unwrap().unwrap();
            let about = [("symbol", path.series.symbol.as_str()), ("interval", path.series.interval.as_str())];
            let about = about.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(columns.body, lines::parquet(&path.series, &clean.body, &about).unwrap(), "{}", raw.key);
        }
        let letters = self.dead_letters.messages();
        for letter in &letters {
            assert_eq!(letter.attributes["class"], "unreadable_object", "{letter:?}");
        }
        let named = |key: &&String| letters.iter().any(|letter| letter.body.contains(key.as_str()));
        assert_eq!(broken.iter().filter(named).count(), broken.len(), "each broken object has a letter");
    }
}

/// Rows that are the object's own, good and bad.
fn content(dice: &mut StdRng, at: usize) -> String {
    if at.is_multiple_of(5) {
        return "no candles".to_owned();
    }
    let close = dice.random_range(2..9);
    let bad = dice.random_range(2..5);
    format!("datetime,open,high,low,close,volume\n2024-12-27,9,99,1,{close},5\n2024-12-26,{bad},,1,1,5\n")
}

fn is_broken(key: &str) -> bool {
    let number = key.split("symbol=S").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    number.parse::<usize>().unwrap().is_multiple_of(5)
}

async fn live(seed: u64) {
    let world = World::default();
    let mut dice = StdRng::seed_from_u64(seed);
    let writer = tokio::spawn({
        let world = world.clone();
        let mut dice = StdRng::seed_from_u64(seed + 1_000_000);
        async move { world.write(&mut dice, 12).await }
    });
    for _ in 0..KILLS {
        for life in [(); PROCESSES].map(|()| world.start(dice.random_range(1..150), dice.random())) {
            // A process that outlives its work is killed in its sleep.
            life.end_within(Duration::from_secs(120)).await;
        }
    }
    writer.await.unwrap();
    world.start(u64::MAX, dice.random());
    world.tell_again().await;
    world.until_empty().await;
    world.check().await;
}

#[test]
fn whatever_happens_the_newest_objects_are_cleaned_and_the_broken_ones_told() {
    through_seeds(SEEDS, live);
}
