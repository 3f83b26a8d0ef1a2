//! A crash between two steps loses no message and doubles none but one that a channel had taken and nobody had noted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use candlewick_notifier::channel::Channel;
use candlewick_notifier::message::Notice;
use candlewick_notifier::outbox::{self, CLAIM, MOST_ATTEMPTS, NextAttempt};
use candlewick_notifier::plan::plan;
use candlewick_notifier::{alerts, message};
use libtest_mimic::Trial;

use crate::support::{CHANNEL, PACE, World};

pub fn trials() -> Vec<Trial> {
    trials![
        a_planner_that_dies_before_its_commit_told_nothing,
        two_planners_at_once_tell_once,
        a_delivery_in_hand_is_nobody_elses,
        a_sender_that_dies_before_sending_is_replaced,
        a_copy_after_a_crash_has_the_same_name,
        two_senders_at_once_send_each_message_once,
        what_fails_is_tried_again_and_given_up_in_the_end,
        where_there_is_no_channel_alerts_wait_for_one,
        each_channel_has_a_delivery_of_its_own,
        an_alert_is_told_repeated_and_resolved
    ]
}

/// What the planner does, up to and without its commit.
async fn a_planner_that_dies_before_its_commit_told_nothing(world: World) {
    world.raise("AAPL").await;
    world.pass(30);
    let mut transaction = world.pool.begin().await.unwrap();
    let open = alerts::open(&mut transaction).await.unwrap();
    let candidates: Vec<_> = open.iter().map(alerts::KnownAlert::candidate).collect();
    let due = plan(&candidates, world.now(), &PACE).due;
    let message = message::compose(&due[0], &open, "name");
    outbox::put(&mut transaction, &[CHANNEL.to_owned()], &message, world.now()).await.unwrap();
    alerts::record_notified(&mut transaction, &due[0], world.now()).await.unwrap();
    drop(transaction);
    assert!(world.outbox().await.is_empty() && world.open().await[0].notified.is_none());
    world.plan().await;
    world.plan().await;
    assert_eq!(world.outbox().await, ["Candlewick: given up: AAPL 1day"]);
}

async fn two_planners_at_once_tell_once(world: World) {
    for round in 0..10 {
        world.raise(&format!("S{round}")).await;
        world.pass(300);
        tokio::join!(world.plan(), world.plan(), world.plan());
        assert_eq!(world.outbox().await.len(), round + 1);
    }
}

async fn queued(world: &World) {
    world.raise("AAPL").await;
    world.pass(30);
    world.plan().await;
}

async fn a_delivery_in_hand_is_nobody_elses(world: World) {
    queued(&world).await;
    assert!(world.claim().await.is_some() && world.claim().await.is_none());
    world.pass(CLAIM.as_secs() - 1);
    assert!(world.claim().await.is_none());
}

async fn a_sender_that_dies_before_sending_is_replaced(world: World) {
    queued(&world).await;
    world.claim().await.unwrap();
    world.pass(CLAIM.as_secs());
    let remembers = Arc::new(Remembers::default());
    world.sender(remembers.clone()).send_due().await.unwrap();
    world.sender(remembers.clone()).send_due().await.unwrap();
    assert_eq!(remembers.names().len(), 1);
}

async fn a_copy_after_a_crash_has_the_same_name(world: World) {
    queued(&world).await;
    let remembers = Remembers::default();
    let first = world.claim().await.unwrap();
    remembers.send(&first.message).await.unwrap();
    world.pass(CLAIM.as_secs());
    let second = world.claim().await.unwrap();
    assert_eq!((&first.message, second.attempt), (&second.message, 2));
}

async fn two_senders_at_once_send_each_message_once(world: World) {
    for at in 0..20 {
        world.raise(&format!("S{at}")).await;
        world.pass(300);
        world.plan().await;
    }
    let remembers = Arc::new(Remembers::default());
    let senders = [0, 1, 2].map(|_| world.sender(remembers.clone()));
    let [one, two, three] = &senders;
    let all = tokio::join!(one.send_due(), two.send_due(), three.send_due());
    all.0.and(all.1).and(all.2).unwrap();
    let names = remembers.names();
    assert_eq!((names.len(), names.iter().collect::<BTreeSet<_>>().len()), (20, 20));
}

async fn what_fails_is_tried_again_and_given_up_in_the_end(world: World) {
    queued(&world).await;
    for attempt in 1..=MOST_ATTEMPTS {
        let delivery = world.claim().await.unwrap();
        let fate = outbox::record_failure(&world.pool, &delivery, "the other side is down", world.now()).await.unwrap();
        let NextAttempt::Again(at) = fate else {
            assert_eq!(attempt, MOST_ATTEMPTS);
            break;
        };
        let wait = at.duration_since(world.now()).as_secs();
        assert!((2..=3600).contains(&wait) && world.claim().await.is_none(), "{wait} s after attempt {attempt}");
        world.pass(wait + 1);
    }
    world.pass(3600);
    assert!(world.claim().await.is_none());
    assert_eq!(outbox::count_undelivered(&world.pool, world.now()).await.unwrap(), 1);
}

async fn where_there_is_no_channel_alerts_wait_for_one(world: World) {
    world.raise("AAPL").await;
    world.pass(3600);
    world.plan_on(&[]).await;
    assert!(world.outbox().await.is_empty());
    world.plan().await;
    assert_eq!(world.outbox().await.len(), 1);
}

async fn each_channel_has_a_delivery_of_its_own(world: World) {
    world.raise("AAPL").await;
    world.pass(30);
    world.plan_on(&["sns", CHANNEL]).await;
    let delivery = world.claim().await.unwrap();
    outbox::record_sent(&world.pool, &delivery, world.now()).await.unwrap();
    assert!(world.claim().await.is_none());
    let other = outbox::claim(&world.pool, "sns", world.now()).await.unwrap().unwrap();
    assert_eq!(other.message, delivery.message);
}

async fn an_alert_is_told_repeated_and_resolved(world: World) {
    queued(&world).await;
    world.pass(43_200);
    world.plan().await;
    let over = world.event("over", "AAPL");
    let over = candlewick_shared::core::alert::AlertEvent { alert: over.alert.resolved(), ..over };
    world.deliver(&over).await.unwrap();
    world.pass(300);
    world.plan().await;
    world.pass(86_400);
    world.plan().await;
    let told = "Candlewick: given up: AAPL 1day";
    assert_eq!(world.outbox().await, [told, told, "Candlewick: resolved: given up: AAPL 1day"]);
}

/// A channel that remembers the names of what it took.
#[derive(Default)]
struct Remembers(Mutex<Vec<String>>);

impl Remembers {
    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Channel for Remembers {
    fn name(&self) -> &'static str {
        CHANNEL
    }

    async fn send(&self, message: &Notice) -> anyhow::Result<()> {
        tokio::task::yield_now().await;
        self.0.lock().unwrap().push(message.name.clone());
        Ok(())
    }
}
