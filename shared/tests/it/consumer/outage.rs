//! An outage of something that every message needs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::anyhow;
use candlewick_shared::core::alert::State;
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};
use tokio::time::{Instant, sleep};

use super::outage_alert::outages;
use super::support::{Count, Rig, eventually};

/// A dependency that can be down, and counts its requests.
#[derive(Clone, Default)]
pub struct Dependency {
    down: Arc<AtomicBool>,
    asked: Count,
}

impl Dependency {
    pub fn down() -> Self {
        let dependency = Self::default();
        dependency.set_down(true);
        dependency
    }

    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub async fn work(self) -> Outcome {
        self.asked.add();
        sleep(Duration::from_millis(100)).await;
        if self.down.load(Ordering::SeqCst) { Err(Setback::Down(anyhow!("refused"))) } else { Ok(Settled::Done) }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_stops_receiving_then_one_is_tried_and_a_success_brings_back_full_speed() {
    let rig = Rig::new(8);
    let dependency = Dependency::down();
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
    let rig = Rig::new(1);
    let dependency = Dependency::down();
    let after = Count::default();
    rig.send(&["patient"]).await;
    let work = dependency.clone();
    let counted = after.clone();
    let running = rig.start(move |_| {
        let work = work.clone();
        let after = counted.clone();
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

/// The queue counts deliveries, including those to other consumers that vanished with the message.
#[tokio::test(start_paused = true)]
async fn a_message_that_was_received_often_does_not_wait_long_because_of_one_outage() {
    let rig = Rig::new(1);
    let dependency = Dependency::down();
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
    let rig = Rig::new(4);
    let dependency = Dependency::down();
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

fn unclear() -> Outcome {
    Err(Setback::Unclear { class: "key_refused", error: anyhow!("the key is disabled") })
}

fn classes(rig: &Rig) -> Vec<String> {
    rig.dead.inner.messages().iter().map(|letter| letter.attributes["class"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_only_some_messages_meet_while_others_succeed_is_theirs() {
    let rig = Rig::new(4);
    rig.send(&["bad"; 13]).await;
    rig.send_many(40).await;
    let start = Instant::now();
    let running =
        rig.start(|delivery| async move { if delivery.body == "bad" { unclear() } else { Ok(Settled::Done) } });
    eventually("the others are done", || rig.left().iter().all(|body| body == "bad")).await;
    assert!(start.elapsed() < Duration::from_secs(240), "{:?}", start.elapsed());
    let fresh = Instant::now();
    rig.send_many(10).await;
    eventually("new ones are done at once", || rig.left().iter().all(|body| body == "bad")).await;
    assert!(fresh.elapsed() < Duration::from_secs(35), "{:?}", fresh.elapsed());
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(classes(&rig), ["key_refused"; 13]);
}

#[tokio::test(start_paused = true)]
async fn what_every_message_meets_is_an_outage_whatever_it_is_and_buries_nothing() {
    let rig = Rig::new(4);
    let down = Dependency::down();
    rig.send_many(12).await;
    let work = down.clone();
    let running = rig.start(move |_| {
        let down = work.down.load(Ordering::SeqCst);
        async move { if down { unclear() } else { Ok(Settled::Done) } }
    });
    sleep(Duration::from_secs(4 * 3600)).await;
    assert_eq!((rig.left().len(), rig.dead.inner.bodies().len()), (12, 0));
    let reported = outages(&rig);
    assert!((2..20).contains(&reported.len()) && reported.iter().all(|state| *state == State::Firing), "{reported:?}");
    down.set_down(false);
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!((outages(&rig).last(), classes(&rig).len()), (Some(&State::Resolved), 0));
}

#[tokio::test(start_paused = true)]
async fn the_next_probe_is_another_message() {
    let rig = Rig::new(1);
    let seen = Arc::new(Mutex::new(Vec::new()));
    rig.send(&["a", "b", "c"]).await;
    let probes = Arc::clone(&seen);
    let running = rig.start(move |delivery| {
        probes.lock().unwrap().push(delivery.body.clone());
        async { Err(Setback::Down(anyhow!("refused"))) }
    });
    sleep(Duration::from_secs(60)).await;
    rig.stop(running).await;
    let seen = seen.lock().unwrap().clone();
    assert!(seen.len() >= 4 && seen.windows(2).all(|pair| pair[0] != pair[1]), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_always_finds_down_what_works_for_others_is_given_up_in_the_end() {
    let rig = Rig::new(1);
    rig.send(&["forbidden"]).await;
    let running = rig.start(|delivery| async move {
        if delivery.body == "forbidden" { Err(Setback::Down(anyhow!("403"))) } else { Ok(Settled::Done) }
    });
    for _ in 0..2000 {
        rig.send(&["fine"]).await;
        sleep(Duration::from_secs(20)).await;
    }
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(rig.dead.inner.bodies(), ["forbidden"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_needed_nothing_says_nothing_about_an_outage() {
    let rig = Rig::new(2);
    let dependency = Dependency::down();
    rig.send_many(4).await;
    let work = dependency.clone();
    let running =
        rig.start(move |delivery| {
            let work = work.clone();
            async move {
                if delivery.body == "marker" { Ok(Settled::Unseen("a folder".to_owned())) } else { work.work().await }
            }
        });
    sleep(Duration::from_secs(600)).await;
    rig.send(&["marker"; 20]).await;
    eventually("they are settled", || rig.left().len() == 4).await;
    assert_eq!(outages(&rig), [State::Firing]);
    rig.stop(running).await;
}
