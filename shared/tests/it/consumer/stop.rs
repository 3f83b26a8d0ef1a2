//! Stopping: nothing is lost, no message stays hidden, and it ends in time.

use std::time::Duration;

use candlewick_shared::ports::queue::{Depth, Queue};
use candlewick_shared::runtime::outcome::Settled;
use tokio::time::{Instant, sleep};

use super::support::{Asked, Count, Dropped, LEASE, Rig, eventually};

#[tokio::test(start_paused = true)]
async fn what_is_in_hand_is_finished_and_deleted() {
    let rig = Rig::new(4);
    let begun = Count::default();
    rig.send_many(4).await;
    let counted = begun.clone();
    let running = rig.start(move |_| {
        counted.add();
        async {
            sleep(Duration::from_secs(10)).await;
            Ok(Settled::Done)
        }
    });
    eventually("work begins", || begun.get() == 4).await;
    let start = Instant::now();
    rig.stop(running).await;
    assert_eq!(rig.left(), Vec::<String>::new());
    assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_dropped_and_given_back_at_once() {
    let rig = Rig::new(4);
    rig.send(&["quick", "slow", "slower"]).await;
    let begun = Count::default();
    let dropped = Count::default();
    let counts = (begun.clone(), dropped.clone());
    let running = rig.start(move |delivery| {
        let (begun, dropped) = counts.clone();
        async move {
            let _guard = Dropped(dropped);
            begun.add();
            sleep(Duration::from_secs(if delivery.body == "quick" { 19 } else { 300 })).await;
            Ok(Settled::Done)
        }
    });
    eventually("work begins", || begun.get() == 3).await;
    let start = Instant::now();
    rig.stop(running).await;
    assert!(start.elapsed() >= rig.policy.stop_within, "{:?}", start.elapsed());
    assert!(start.elapsed() < rig.policy.stop_within + Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(dropped.get(), 3);
    assert_eq!(rig.left(), ["slow", "slower"]);
    assert_eq!(rig.queue.inner.depth().await.unwrap(), Depth { waiting: 2, ..Depth::default() });
}

#[tokio::test(start_paused = true)]
async fn what_a_receive_brings_after_the_stop_is_given_back_unseen() {
    let rig = Rig::new(4);
    let calls = Count::default();
    let counted = calls.clone();
    let running = rig.start(move |_| {
        counted.add();
        async { Ok(Settled::Done) }
    });
    eventually("a receive is under way", || rig.receives().len() == 1).await;
    rig.stop.cancel();
    sleep(Duration::from_millis(100)).await;
    rig.send(&["late"]).await;
    rig.stop(running).await;
    assert_eq!((calls.get(), rig.receives().len()), (0, 1));
    assert!(rig.asked("queue").contains(&Asked::SendAfter(Duration::ZERO)), "{:?}", rig.asked("queue"));
    assert_eq!(rig.queue.inner.depth().await.unwrap(), Depth { waiting: 1, ..Depth::default() });
}

#[tokio::test(start_paused = true)]
async fn with_nothing_in_hand_it_takes_a_moment_even_while_the_queue_or_more_is_down() {
    for breakage in ["", "receive"] {
        let rig = Rig::new(4);
        rig.queue.break_down(breakage);
        let running = rig.start(|_| async { Ok(Settled::Done) });
        // Not a time at which a long poll of 20 s ends anyway.
        sleep(Duration::from_secs(290)).await;
        let start = Instant::now();
        rig.stop(running).await;
        assert!(start.elapsed() <= rig.policy.last_receive + Duration::from_millis(10), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_even_where_nothing_can_be_given_back() {
    let rig = Rig::new(1);
    let begun = Count::default();
    rig.send(&["slow"]).await;
    let counted = begun.clone();
    let running = rig.start(move |_| {
        counted.add();
        std::future::pending()
    });
    eventually("work begins", || begun.get() == 1).await;
    rig.queue.break_down("hang");
    let start = Instant::now();
    rig.stop(running).await;
    assert!(start.elapsed() < Duration::from_secs(30), "ECS would have killed it: {:?}", start.elapsed());
    assert!(rig.queue.inner.receive(1, LEASE).await.is_ok_and(|messages| messages.is_empty()), "its lease goes on");
}
