//! What services say is written down once, and the newest word counts.

use candlewick_shared::core::alert::{AlertEvent, State};
use candlewick_shared::runtime::outcome::{Setback, Settled};
use libtest_mimic::Trial;

use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        an_event_that_comes_twice_counts_once,
        the_same_thing_said_again_is_the_same_alert,
        the_newest_word_counts_in_whatever_order_words_come,
        what_was_never_wrong_or_is_well_already_is_no_news,
        what_is_no_alert_is_given_up,
        a_database_that_is_down_loses_nothing,
        a_clock_that_begins_anew_makes_nothing_newer_than_now
    ]
}

async fn an_event_that_comes_twice_counts_once(world: World) {
    let event = world.event("1", "AAPL");
    assert_eq!(world.deliver(&event).await.unwrap(), Settled::Done);
    assert!(matches!(world.deliver(&event).await.unwrap(), Settled::Superseded(_)));
    assert_eq!(world.open().await[0].occurrences, 1);
}

async fn the_same_thing_said_again_is_the_same_alert(world: World) {
    let since = world.now();
    world.raise("AAPL").await;
    world.pass(60);
    world.raise("AAPL").await;
    world.raise("SPY").await;
    let open = world.open().await;
    let told: Vec<_> = open.iter().map(|known| (known.alert.subject.as_str(), known.occurrences)).collect();
    assert_eq!(told, [("AAPL 1day", 2), ("SPY 1day", 1)]);
    assert_eq!((open[0].raised_at, open[0].changed_at), (since, since));
}

async fn the_newest_word_counts_in_whatever_order_words_come(world: World) {
    let fired = world.event("1", "AAPL");
    world.pass(60);
    let resolved = world.event("2", "AAPL");
    let resolved = AlertEvent { alert: resolved.alert.resolved(), ..resolved };
    world.deliver(&resolved).await.unwrap();
    world.deliver(&fired).await.unwrap();
    assert!(world.open().await.is_empty(), "an older word counted");
    world.pass(60);
    world.raise("AAPL").await;
    let open = world.open().await;
    assert_eq!((open[0].alert.state, open[0].raised_at, open[0].occurrences), (State::Firing, world.now(), 1));
}

async fn what_was_never_wrong_or_is_well_already_is_no_news(world: World) {
    let over = |id: &str| {
        let event = world.event(id, "AAPL");
        AlertEvent { alert: event.alert.resolved(), ..event }
    };
    let all = async || {
        let mut database = world.pool.acquire().await.unwrap();
        candlewick_notifier::alerts::all(&mut database).await.unwrap()
    };
    world.deliver(&over("1")).await.unwrap();
    assert_eq!(all().await, [], "it was never wrong");
    world.pass(60);
    world.raise("AAPL").await;
    world.pass(60);
    world.deliver(&over("2")).await.unwrap();
    let once = all().await;
    world.pass(60);
    world.deliver(&over("3")).await.unwrap();
    assert_eq!((all().await, once.len(), once[0].occurrences), (once.clone(), 1, 1), "said twice is said once");
}

async fn what_is_no_alert_is_given_up(world: World) {
    for body in
        ["hello there", r#"{"id":"1","at":"2024-12-30T22:00:00Z","stage":"s","kind":"fire","subject":"","text":""}"#]
    {
        match world.deliver_text(body).await {
            Err(Setback::Permanent(failure)) => assert_eq!(failure.class, "bad_message"),
            other => panic!("{other:?}"),
        }
    }
}

async fn a_database_that_is_down_loses_nothing(world: World) {
    world.pool.close().await;
    assert!(matches!(world.deliver(&world.event("1", "AAPL")).await, Err(Setback::Down(_))));
}

async fn a_clock_that_begins_anew_makes_nothing_newer_than_now(world: World) {
    let mut before = world.event("1", "AAPL");
    let now = world.now();
    before.at = now.saturating_add(jiff::SignedDuration::from_hours(5)).unwrap();
    world.deliver(&before).await.unwrap();
    let mut database = world.pool.acquire().await.unwrap();
    candlewick_notifier::alerts::settle_clock(&mut database, now).await.unwrap();
    let over = world.event("2", "AAPL");
    world.deliver(&AlertEvent { alert: over.alert.resolved(), ..over }).await.unwrap();
    assert!(world.open().await.is_empty(), "a word of the former life counted as newer");
}
