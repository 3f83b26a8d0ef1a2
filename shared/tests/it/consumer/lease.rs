//! Leases: they are renewed while there is work, and there is no work without one.

use std::sync::Arc;
use std::time::Duration;

use candlewick_shared::runtime::compute::compute;
use candlewick_shared::runtime::layers::Delivery;
use candlewick_shared::runtime::outcome::{Outcome, Settled};
use futures::future::BoxFuture;
use tokio::time::{Instant, sleep};

use super::support::{Asked, Count, Dropped, LEASE, Rig, eventually};

/// How often work began, was dropped, and ended.
#[derive(Clone, Default)]
struct Counts {
    begun: Count,
    dropped: Count,
    ended: Count,
}

/// Work of five leases that counts what becomes of it.
fn slow_work(counts: &Counts) -> impl Fn(Delivery) -> BoxFuture<'static, Outcome> + Clone + use<> {
    let counts = counts.clone();
    move |_| {
        let Counts { begun, dropped, ended } = counts.clone();
        Box::pin(async move {
            let _guard = Dropped(dropped);
            begun.add();
            sleep(LEASE * 5).await;
            ended.add();
            Ok(Settled::Done)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn slow_work_keeps_its_lease_from_receipt_to_end() {
    let rig = Rig::new(10);
    let calls = Count::default();
    rig.send_many(10).await;
    let counted = calls.clone();
    let running = rig.start(move |_| {
        counted.add();
        async {
            sleep(LEASE * 10).await;
            Ok(Settled::Done)
        }
    });
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(calls.get(), 10, "each was delivered once");
    let extensions = rig.asked("queue").into_iter().filter(|asked| *asked == Asked::Extend(LEASE)).count();
    assert!((10 * 29..=10 * 30).contains(&extensions), "three in each lease: {extensions}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_ends_the_work_and_neither_deletes_nor_buries() {
    let rig = Rig::new(1);
    rig.send(&["one"]).await;
    let counts = Counts::default();
    let Counts { begun, dropped, ended } = &counts;
    let running = rig.start(slow_work(&counts));
    eventually("work begins", || begun.get() == 1).await;
    rig.queue.break_down("lose");
    let start = Instant::now();
    eventually("work is dropped", || dropped.get() == 1).await;
    assert!(start.elapsed() <= LEASE / 3 + Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!((ended.get(), rig.left().len(), rig.moves().len()), (0, 1, 0));
    rig.queue.mend();
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!((begun.get(), ended.get(), rig.dead.inner.bodies().len()), (2, 1, 0), "it was delivered again");
}

async fn dropped_after(breakage: &'static str) -> Duration {
    let rig = Rig::new(1);
    rig.send(&["one"]).await;
    rig.queue.break_down(breakage);
    let dropped = Count::default();
    let counted = dropped.clone();
    let start = Instant::now();
    let running = rig.start(move |_| {
        let guard = Dropped(counted.clone());
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    });
    eventually("work is dropped", || dropped.get() == 1).await;
    let elapsed = start.elapsed();
    rig.queue.mend();
    rig.stop(running).await;
    elapsed
}

#[tokio::test(start_paused = true)]
async fn work_ends_with_its_lease_where_that_cannot_be_extended() {
    for breakage in ["extend", "hang"] {
        let elapsed = dropped_after(breakage).await;
        assert!(elapsed >= LEASE && elapsed < LEASE + Duration::from_secs(1), "{breakage}: {elapsed:?}");
    }
}

/// A process that was suspended for a while, on a queue that extends expired leases.
#[tokio::test(start_paused = true)]
async fn an_extension_that_comes_too_late_is_not_believed() {
    let rig = Rig::new(1);
    rig.send(&["one"]).await;
    rig.queue.break_down("forgive");
    let counts = Counts::default();
    let Counts { begun, dropped, ended } = &counts;
    let running = rig.start(slow_work(&counts));
    eventually("work begins", || begun.get() == 1).await;
    tokio::time::advance(LEASE * 2).await;
    eventually("work is dropped", || dropped.get() == 1).await;
    assert_eq!(ended.get(), 0, "it was dropped, and did not go on to its end");
    eventually("it is delivered again", || begun.get() == 2).await;
    rig.until_empty().await;
    rig.stop(running).await;
}

#[tokio::test(start_paused = true)]
async fn two_extensions_may_fail_before_a_lease_is_lost() {
    let rig = Rig::new(1);
    rig.send(&["one"]).await;
    let calls = Count::default();
    let counted = calls.clone();
    let running = rig.start(move |_| {
        counted.add();
        async {
            sleep(LEASE * 3).await;
            Ok(Settled::Done)
        }
    });
    rig.queue.break_down("extend");
    sleep(LEASE / 3 * 2 + Duration::from_secs(1)).await;
    rig.queue.mend();
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(calls.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn work_that_never_ends_does_not_keep_its_slot_for_ever() {
    let rig = Rig::new(1);
    rig.send(&["stuck", "fine"]).await;
    let running = rig.start(|delivery| async move {
        if delivery.body == "stuck" {
            std::future::pending::<()>().await;
        }
        Ok(Settled::Done)
    });
    rig.until_empty().await;
    rig.stop(running).await;
    assert!(rig.dead.inner.messages()[0].attributes["reason"].contains("not done within"));
}

/// Whether a lease was extended often enough to show that extensions do not wait for the work, and not just once before
/// it began. Waits for that event on this thread, and not for ever.
fn is_extended_meanwhile(rig: &Rig) -> bool {
    let extended = || rig.asked("queue").iter().filter(|asked| matches!(asked, Asked::Extend(_))).count() >= 4;
    let most = std::time::Instant::now() + Duration::from_secs(20);
    while !extended() && std::time::Instant::now() < most {
        std::hint::spin_loop();
    }
    extended()
}

// These two tests are on real time, because a busy thread cannot be observed on paused time.

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn work_that_keeps_its_thread_busy_does_not_starve_its_lease() {
    let mut rig = Rig::new(1);
    rig.policy.lease = Duration::from_millis(600);
    rig.send(&["busy"]).await;
    let rig = Arc::new(rig);
    let watching = Arc::clone(&rig);
    let calls = Count::default();
    let counted = calls.clone();
    let running = rig.start(move |_| {
        // Only the first delivery blocks the thread: a redelivery would show nothing new.
        let is_first = counted.add() == 1;
        let rig = Arc::clone(&watching);
        async move {
            assert!(!is_first || is_extended_meanwhile(&rig));
            Ok(Settled::Done)
        }
    });
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(calls.get(), 1);
}

/// The transform and the loader have one thread, so they compute on others.
#[tokio::test(flavor = "current_thread")]
async fn work_that_is_computed_does_not_starve_its_lease_where_there_is_one_thread() {
    let mut rig = Rig::new(1);
    rig.policy.lease = Duration::from_millis(600);
    rig.send(&["busy"]).await;
    let rig = Arc::new(rig);
    let watching = Arc::clone(&rig);
    let calls = Count::default();
    let counted = calls.clone();
    let running = rig.start(move |_| {
        let is_first = counted.add() == 1;
        let rig = Arc::clone(&watching);
        async move {
            let is_extended = compute(move || !is_first || is_extended_meanwhile(&rig)).await?;
            assert!(is_extended);
            Ok(Settled::Done)
        }
    });
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(calls.get(), 1);
}
