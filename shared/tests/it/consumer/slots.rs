//! How many messages are in progress, and how many are requested.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::core::event::ObjectEvent;
use candlewick_shared::ports::queue::{Depth, Lease, Message, NewMessage, Queue, QueueError, Receipt};
use candlewick_shared::runtime::layers::MessageService;
use candlewick_shared::runtime::objects::{Scope, objects};
use candlewick_shared::runtime::outcome::Settled;
use candlewick_shared::runtime::{consumer::Consumer, policy::Policy};
use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt, service_fn};

use super::support::{Count, LEASE, Rig, eventually};

/// The maximum number of messages in progress at once.
#[derive(Clone, Default)]
struct Peak(Count, Arc<Mutex<usize>>);

impl Peak {
    fn enter(&self) {
        let now = self.0.add();
        let mut most = self.1.lock().unwrap();
        *most = now.max(*most);
    }

    fn leave(&self) {
        self.0.remove();
    }

    fn most(&self) -> usize {
        *self.1.lock().unwrap()
    }
}

async fn peak_with(slots: usize, messages: usize) -> (Rig, usize) {
    let rig = Rig::new(slots);
    rig.send_many(messages).await;
    let peak = Peak::default();
    let seen = peak.clone();
    let running = rig.start(move |delivery| {
        let peak = seen.clone();
        async move {
            peak.enter();
            // Messages take different times, so that capacity becomes free bit by bit.
            sleep(Duration::from_millis(100 + 37 * (delivery.body.len() as u64))).await;
            peak.leave();
            Ok(Settled::Done)
        }
    });
    rig.until_empty().await;
    rig.stop(running).await;
    (rig, peak.most())
}

#[tokio::test(start_paused = true)]
async fn never_more_is_in_hand_than_there_are_slots_and_all_of_them_are_used() {
    for slots in [1, 3, 10, 25] {
        let (rig, most) = peak_with(slots, 120).await;
        assert_eq!(most, slots);
        assert!(rig.receives().iter().all(|asked| (1..=slots.min(10)).contains(asked)), "{:?}", rig.receives());
        assert_eq!(rig.receives()[0], slots.min(10));
    }
}

#[tokio::test(start_paused = true)]
async fn one_slot_is_enough_to_get_everything_done() {
    let (rig, most) = peak_with(1, 30).await;
    assert_eq!((most, rig.dead.inner.bodies().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_message_does_not_hold_up_the_others() {
    let rig = Rig::new(2);
    rig.send(&["slow"]).await;
    rig.send_many(50).await;
    let running = rig.start(|delivery| async move {
        sleep(Duration::from_secs(if delivery.body == "slow" { 800 } else { 1 })).await;
        Ok(Settled::Done)
    });
    eventually("only the slow one is left", || rig.left() == ["slow"]).await;
    assert!(tokio::time::timeout(Duration::from_secs(600), std::future::pending::<()>()).await.is_err());
    assert_eq!(rig.left(), ["slow"], "all others were done long before it");
    rig.until_empty().await;
    rig.stop(running).await;
}

/// A queue that delivers its only message twice in one response, with the newer receipt first or last.
struct Stutter {
    newer_first: bool,
    deleted: Mutex<Vec<Receipt>>,
    sent: Count,
}

#[async_trait]
impl Queue for Stutter {
    async fn receive(&self, _: usize, _: Duration) -> Result<Vec<Message>, QueueError> {
        if self.sent.add() > 1 {
            std::future::pending::<()>().await;
        }
        let message = |receive_count: u32| Message {
            id: "one".to_owned(),
            receipt: Receipt(receive_count.to_string()),
            body: String::new(),
            receive_count,
            attributes: [].into(),
        };
        Ok(if self.newer_first { vec![message(2), message(1)] } else { vec![message(1), message(2)] })
    }

    async fn extend(&self, _: &Receipt, _: Duration) -> Result<Lease, QueueError> {
        Ok(Lease::Held)
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<(), QueueError> {
        self.deleted.lock().unwrap().extend(receipts.iter().cloned());
        Ok(())
    }

    async fn send(&self, _: &[NewMessage]) -> Result<(), QueueError> {
        Ok(())
    }

    async fn send_after(&self, _: &NewMessage, _: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        Ok(Depth::default())
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_twice_at_once_is_handled_once_and_deleted_by_its_newest_receipt() {
    for newer_first in [false, true] {
        let queue = Arc::new(Stutter { newer_first, deleted: Mutex::default(), sent: Count::default() });
        let calls = Count::default();
        let stop = CancellationToken::new();
        let consumer = Consumer {
            stage: "test",
            queue: queue.clone(),
            dead_letters: Arc::new(MemoryQueue::default()),
            notifier: Arc::new(LogNotifier),
            protection: None,
            policy: Policy::new(4, LEASE),
        };
        let counted = calls.clone();
        let handler = service_fn(move |_| {
            counted.add();
            async { Ok(Settled::Done) }
        });
        let running = tokio::spawn(consumer.run(MessageService::new(handler), stop.clone()));
        eventually("it is deleted", || !queue.deleted.lock().unwrap().is_empty()).await;
        stop.cancel();
        running.await.unwrap();
        assert_eq!((calls.get(), queue.deleted.lock().unwrap().as_slice()), (1, &[Receipt("2".to_owned())][..]));
    }
}

fn event(size: u64) -> String {
    json!({"Records": [{"eventVersion": "2.1", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "raw/a", "size": size}}}]})
    .to_string()
}

#[tokio::test(start_paused = true)]
async fn the_bytes_in_flight_are_bounded_and_an_object_larger_than_all_of_them_goes_alone() {
    let rig = Rig::new(10);
    let sizes = [40_u64, 40, 40, 1_000, 40, 40, 100, 20, 20, 60, 5_000, 30];
    rig.send(&sizes.map(event).iter().map(String::as_str).collect::<Vec<_>>()).await;
    let in_hand = Arc::new(Mutex::new(Vec::<u64>::new()));
    let done = Count::default();
    let counted = done.clone();
    let handler = move |event: ObjectEvent| {
        let in_hand = Arc::clone(&in_hand);
        let done = counted.clone();
        let size = event.size.unwrap();
        async move {
            in_hand.lock().unwrap().push(size);
            let now = in_hand.lock().unwrap().clone();
            assert!(now.iter().sum::<u64>() <= 100 || now.len() == 1, "{now:?}");
            sleep(Duration::from_secs(1)).await;
            let mut now = in_hand.lock().unwrap();
            let at = now.iter().position(|other| *other == size).unwrap();
            now.remove(at);
            done.add();
            Ok(Settled::Done)
        }
    };
    let scope = Scope { bucket: "b".to_owned(), prefix: "raw/".to_owned(), bytes_in_flight: 100 };
    let service = objects(scope, service_fn(handler));
    let running = rig.start(move |delivery| service.clone().oneshot(delivery));
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!((done.get(), rig.dead.inner.bodies().len()), (sizes.len(), 0));
}
