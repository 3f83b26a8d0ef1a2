//! What happens while something that every message needs is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};
use tokio::time::{Instant, sleep};

use super::rig::{Count, Rig, eventually};

/// A dependency that can be down, and counts who asked for it.
#[derive(Clone, Default)]
struct Dependency {
    down: Arc<AtomicBool>,
    asked: Count,
}

impl Dependency {
    fn down() -> Self {
        let dependency = Self::default();
        dependency.set_down(true);
        dependency
    }

    fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    async fn work(self) -> Outcome {
        self.asked.add();
        sleep(Duration::from_millis(100)).await;
        if self.down.load(Ordering::SeqCst) { Err(Setback::Down(anyhow!("refused"))) } else { Ok(Settled::Done) }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_stops_receiving_then_one_is_tried_and_a_success_brings_back_full_speed() {
    let (rig, dependency) = (Rig::new(8), Dependency::down());
    rig.send_many(100).await;
    let work = dependency.clone();
    let running = rig.start(move |_| work.clone().work());
    sleep(Duration::from_secs(3600)).await;
    let receives = rig.receives();
    assert!(receives[1..].iter().all(|asked| *asked == 1), "one at a time after the first: {receives:?}");
    assert!((120..260).contains(&receives.len()), "about one in 22 s for an hour: {}", receives.len());
    assert_eq!(dependency.asked.get(), 8 + receives.len() - 1);
    dependency.set_down(false);
    let start = Instant::now();
    eventually("full speed", || rig.receives().last() == Some(&8)).await;
    assert!(start.elapsed() < Duration::from_secs(35), "{:?}", start.elapsed());
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(rig.dead.inner.bodies(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn no_message_is_buried_because_of_an_outage_not_even_when_its_work_fails_after() {
    let (rig, dependency, after) = (Rig::new(1), Dependency::down(), Count::default());
    rig.send(&["patient"]).await;
    let (work, counted) = (dependency.clone(), after.clone());
    let running = rig.start(move |_| {
        let (work, after) = (work.clone(), counted.clone());
        async move {
            match work.work().await {
                Ok(_) if after.add() <= 5 => Err(Setback::Retry(anyhow!("no luck"))),
                outcome => outcome,
            }
        }
    });
    sleep(Duration::from_secs(2 * 86_400)).await;
    let receives = dependency.asked.get();
    assert!((100..1_000).contains(&receives), "the queue itself would have given it up: {receives} receives");
    dependency.set_down(false);
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!((after.get(), rig.dead.inner.bodies().len()), (6, 0));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_alone_finds_its_dependency_down_does_not_stop_the_others() {
    let rig = Rig::new(1);
    rig.send(&["forbidden"]).await;
    rig.send_many(100).await;
    let start = Instant::now();
    let running = rig.start(|delivery| async move {
        if delivery.body == "forbidden" { Err(Setback::Down(anyhow!("403"))) } else { Ok(Settled::Done) }
    });
    eventually("the others are done", || rig.left() == ["forbidden"]).await;
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    rig.stop(running).await;
}

/// What the queue counts are receives: here by others, who vanished with the message.
#[tokio::test(start_paused = true)]
async fn a_message_that_was_received_often_does_not_wait_long_because_of_one_outage() {
    let (rig, dependency) = (Rig::new(1), Dependency::down());
    rig.send(&["much travelled"]).await;
    for _ in 0..12 {
        let one = rig.queue.inner.receive(1, Duration::from_secs(30)).await.unwrap().remove(0);
        rig.queue.inner.extend(&one.receipt, Duration::ZERO).await.unwrap();
    }
    let work = dependency.clone();
    let running = rig.start(move |_| work.clone().work());
    eventually("it met the outage", || dependency.asked.get() == 1).await;
    dependency.set_down(false);
    let start = Instant::now();
    rig.until_empty().await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    rig.stop(running).await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_message_is_buried_during_an_outage_and_does_not_end_it() {
    let (rig, dependency) = (Rig::new(4), Dependency::down());
    rig.send_many(20).await;
    let work = dependency.clone();
    let running = rig.start(move |delivery| {
        let work = work.clone();
        async move {
            if delivery.body == "broken" { Err(Failure::new("bad", "why").into()) } else { work.work().await }
        }
    });
    sleep(Duration::from_secs(600)).await;
    rig.send(&["broken"]).await;
    eventually("it is buried", || rig.dead.inner.bodies() == ["broken"]).await;
    assert!(rig.receives()[1..].iter().all(|asked| *asked == 1), "{:?}", rig.receives());
    rig.stop(running).await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_cannot_be_received_from_is_not_asked_in_a_hot_loop() {
    let rig = Rig::new(4);
    rig.queue.break_down("receive");
    rig.send(&["one"]).await;
    let running = rig.start(|_| async { Ok(Settled::Done) });
    sleep(Duration::from_secs(600)).await;
    let asked = rig.timed("queue");
    assert!((20..60).contains(&asked.len()), "{} receives in ten minutes", asked.len());
    let gaps: Vec<_> = asked.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(
        gaps.iter().all(|gap| *gap <= Duration::from_secs(30)) && gaps[0] <= Duration::from_millis(500),
        "{gaps:?}"
    );
    rig.queue.mend();
    rig.until_empty().await;
    rig.stop(running).await;
}
