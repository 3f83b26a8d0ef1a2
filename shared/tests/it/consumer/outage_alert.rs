//! What the owner hears of outages.

use std::time::Duration;

use anyhow::anyhow;
use candlewick_shared::core::alert::{Kind, State};
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::runtime::outcome::{Failure, Setback, Settled};
use tokio::time::{Instant, sleep};

use super::outage::Dependency;
use super::support::{Rig, eventually};

pub fn outages(rig: &Rig) -> Vec<State> {
    outages_of(rig, "test")
}

fn outages_of(rig: &Rig, subject: &str) -> Vec<State> {
    let heard = rig.heard.0.lock().unwrap();
    let of_subject = heard.iter().filter(|alert| alert.kind == Kind::Outage && alert.subject == subject);
    of_subject.map(|alert| alert.state).collect()
}

#[tokio::test(start_paused = true)]
async fn the_owner_hears_what_is_down_since_when_and_how_many_wait() {
    let rig = Rig::new(1);
    let dependency = Dependency::down();
    rig.send_many(5).await;
    let running = rig.start(move |_| dependency.clone().work());
    eventually("an alert", || !outages(&rig).is_empty()).await;
    rig.stop(running).await;
    let heard = rig.heard.0.lock().unwrap();
    let text = &heard[0].text;
    assert!(text.contains("refused") && text.contains("5 messages are waiting") && text.contains(" since 2"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_moment_is_not_told() {
    let rig = Rig::new(1);
    let dependency = Dependency::down();
    rig.send_many(5).await;
    let work = dependency.clone();
    let running = rig.start(move |_| work.clone().work());
    sleep(Duration::from_secs(3)).await;
    dependency.set_down(false);
    rig.until_empty().await;
    rig.stop(running).await;
    assert!(!outages(&rig).contains(&State::Firing));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_answer_is_an_outage_too() {
    let rig = Rig::new(1);
    rig.queue.break_down("receive");
    let running = rig.start(|_| async { Ok(Settled::Done) });
    eventually("it is reported", || outages(&rig) == [State::Firing]).await;
    rig.queue.mend();
    eventually("its end is reported", || outages(&rig) == [State::Firing, State::Resolved]).await;
    rig.stop(running).await;
}

#[tokio::test(start_paused = true)]
async fn an_alert_of_a_process_that_ended_is_resolved_even_if_the_next_one_meets_the_end_of_the_outage() {
    let mut rig = Rig::new(1);
    let dependency = Dependency::down();
    rig.send_many(20).await;
    let first = dependency.clone();
    let dying = rig.start(move |_| first.clone().work());
    eventually("an alert", || outages(&rig) == [State::Firing]).await;
    rig.kill();
    let second = dependency.clone();
    let running = rig.start(move |_| second.clone().work());
    sleep(Duration::from_secs(3)).await;
    dependency.set_down(false);
    rig.until_empty().await;
    rig.stop(running).await;
    dying.abort();
    assert_eq!(outages(&rig), [State::Firing, State::Resolved]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_falters_during_an_outage_leaves_no_alert_behind() {
    let rig = Rig::new(1);
    let dependency = Dependency::down();
    rig.send_many(5).await;
    let work = dependency.clone();
    let running = rig.start(move |_| work.clone().work());
    eventually("an alert", || outages(&rig) == [State::Firing]).await;
    rig.queue.break_down("receive");
    sleep(Duration::from_secs(60)).await;
    rig.queue.mend();
    sleep(Duration::from_secs(60)).await;
    dependency.set_down(false);
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(outages(&rig), [State::Firing, State::Resolved]);
}

/// Two processes of a service share their alert. One that recovers must not hide that the other has not.
#[tokio::test(start_paused = true)]
async fn an_alert_that_another_process_resolved_is_raised_again_while_the_outage_lasts() {
    let rig = Rig::new(1);
    let dependency = Dependency::down();
    rig.send_many(10_000).await;
    let down = dependency.clone();
    let cut_off = rig.start(move |_| down.clone().work());
    eventually("an alert", || outages(&rig) == [State::Firing]).await;
    let healthy = rig.start(|_| async {
        sleep(Duration::from_secs(1)).await;
        Ok(Settled::Done)
    });
    eventually("another alert", || outages(&rig) == [State::Firing, State::Resolved, State::Firing]).await;
    dependency.set_down(false);
    eventually("its end", || outages(&rig).last() == Some(&State::Resolved)).await;
    rig.stop(cut_off).await;
    rig.stop(healthy).await;
}

/// Takes all messages, as another process does.
async fn take_all(rig: &Rig) {
    while !rig.left().is_empty() {
        let taken = rig.queue.inner_receive().await;
        let receipts: Vec<_> = taken.into_iter().map(|message| message.receipt).collect();
        rig.queue.inner.delete(&receipts).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_process_has_buried_leaves_no_alert_behind() {
    let rig = Rig::new(1);
    rig.dead.break_down("send");
    rig.send(&["broken"]).await;
    let running = rig.start(|_| async { Err(Failure::new("bad", "why").into()) });
    eventually("an alert", || outages_of(&rig, "test dead letters").contains(&State::Firing)).await;
    take_all(&rig).await;
    eventually("its end", || outages_of(&rig, "test dead letters").last() == Some(&State::Resolved)).await;
    rig.stop(running).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_over_when_another_process_has_done_the_work() {
    let rig = Rig::new(1);
    let dependency = Dependency::down();
    rig.send_many(5).await;
    let running = rig.start(move |_| dependency.clone().work());
    eventually("an alert", || outages(&rig) == [State::Firing]).await;
    take_all(&rig).await;
    eventually("its end", || outages(&rig) == [State::Firing, State::Resolved]).await;
    eventually("it is ready", || rig.health.readiness().0).await;
    rig.stop(running).await;
}

/// The number of waiting messages is asked for before an alert is sent. In that time a message may succeed.
#[tokio::test(start_paused = true)]
async fn an_alert_that_its_end_overtakes_is_resolved() {
    let rig = Rig::new(3);
    rig.send(&["0", "11", "12"]).await;
    rig.queue.break_down("count");
    let began = Instant::now();
    let running = rig.start(move |delivery| async move {
        let seconds = delivery.body.parse().unwrap();
        sleep(Duration::from_secs(seconds)).await;
        let is_down = began.elapsed() < Duration::from_secs(12);
        if is_down { Err(Setback::Down(anyhow!("refused"))) } else { Ok(Settled::Done) }
    });
    eventually("its end", || outages(&rig) == [State::Resolved]).await;
    rig.queue.mend();
    eventually("an alert", || outages(&rig) == [State::Resolved, State::Firing]).await;
    eventually("its end again", || outages(&rig).last() == Some(&State::Resolved)).await;
    rig.stop(running).await;
}
