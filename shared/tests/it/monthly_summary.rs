//! The example of a custom service, run from message to summary in memory.

use std::sync::Arc;
use std::time::Duration;

use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_shared::runtime::objects::{Scope, objects};
use candlewick_shared::runtime::{consumer::Consumer, policy::Policy};
use serde_json::json;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

#[expect(dead_code, reason = "its main needs AWS")]
#[path = "../../examples/monthly_summary.rs"]
mod example;

const KEY: &str = "transformed/interval=1day/symbol=BTC%2FUSD/candles.csv";
const CLEAN: &str = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n\
    BTC/USD,1day,2024-11-29,10.5,12,9,11,0,false,false\n\
    BTC/USD,1day,2024-12-27,11,12,9,11.5,0,false,false\n\
    BTC/USD,1day,2024-12-30,11.5,12,9,12.25,0,false,true\n";
const SUMMARY: &str = "month,candles,first,last,open,close\n\
    2024-11,1,2024-11-29,2024-11-29,10.5,11\n\
    2024-12,2,2024-12-27,2024-12-30,11,12.25\n";

fn event(key: &str) -> NewMessage {
    let object = json!({"key": key.replace('%', "%25").replace('=', "%3D"), "size": 1});
    let record = json!({"eventVersion": "2.1", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "b"}, "object": object}});
    NewMessage { body: json!({"Records": [record]}).to_string(), ..NewMessage::default() }
}

#[tokio::test(start_paused = true)]
async fn every_clean_object_gets_its_summary_and_a_broken_one_a_dead_letter() {
    let store: Arc<dyn ObjectStore> = Arc::new(MemoryStore::default());
    let queue = Arc::new(MemoryQueue::default());
    let dead = Arc::new(MemoryQueue::default());
    for (key, body) in [(KEY, CLEAN), ("transformed/interval=1day/symbol=X/candles.csv", "no header")] {
        store.put(key, NewObject::csv(body.into(), Metadata::new()), PutIf::Always).await.unwrap();
        queue.send(&[event(key), event(key)]).await.unwrap();
    }
    run(Arc::clone(&store), Arc::clone(&queue), Arc::clone(&dead)).await;
    let summary = store.get(&KEY.replace("transformed/", "summaries/")).await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&summary.body), SUMMARY);
    assert_eq!(store.list("summaries/").await.unwrap().len(), 1);
    let classes: Vec<_> = dead.messages().iter().map(|letter| letter.attributes["class"].clone()).collect();
    assert_eq!(classes, ["unreadable", "unreadable"]);
}

async fn run(store: Arc<dyn ObjectStore>, queue: Arc<MemoryQueue>, dead: Arc<MemoryQueue>) {
    let scope = Scope { bucket: "b".to_owned(), prefix: "transformed/".to_owned(), bytes_in_flight: 1 << 20 };
    let handler = tower::service_fn(move |event| example::summarise(Arc::clone(&store), event));
    let consumer = Consumer {
        stage: "summaries",
        queue: queue.clone(),
        dead_letters: dead,
        notifier: Arc::new(LogNotifier),
        protection: None,
        policy: Policy::new(4, Duration::from_secs(60)),
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer.run(objects(scope, handler), stop.clone()));
    let until_empty = async {
        while !queue.bodies().is_empty() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(600), until_empty).await.expect("the queue is emptied");
    stop.cancel();
    running.await.unwrap();
}
