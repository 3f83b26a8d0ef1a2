//! A split changes every price there was, and so everything is fetched again.

use candlewick_ingest::credits::budget::Plan;
use candlewick_shared::ports::notifier::Kind;
use candlewick_shared::runtime::outcome::Setback;
use candlewick_simulator::settings::Settings;
use serde_json::json;

use crate::support::{KEY, PLENTY, World, deliver, fetch, fetch_in, world};

const OLDEST: &str = "raw/interval=1h/symbol=AAPL/2020-02.csv";
const OPEN: &str = "raw/interval=1h/symbol=AAPL/2024-12.csv";
const AFTER: &str = "2024-12-31T22:00:30Z";

/// AAPL as it was fetched the day before it is split four for one.
async fn split(interval: &str, rewrites: &str) -> World {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("AAPL", interval)).await.unwrap();
    let next = world.at(AFTER).await;
    next.set("splits", json!({"symbol": "AAPL", "date": "2024-12-31", "ratio": 0.25, "rewrites": rewrites})).await;
    next
}

async fn close(world: &World, key: &str) -> f64 {
    let lines = world.lines(key).await;
    lines.last().unwrap().split(',').nth(4).unwrap().parse().unwrap()
}

fn is_a_quarter(new: f64, old: f64) -> bool {
    (new / old - 0.25).abs() < 0.001
}

#[tokio::test]
async fn a_split_fetches_every_month_again_once_and_tells_the_owner() {
    let world = split("1h", "every").await;
    let before = close(&world, OLDEST).await;
    world.deliver(&fetch_in("run-2", "AAPL", "1h")).await.unwrap();
    assert!(is_a_quarter(close(&world, OLDEST).await, before));
    for key in world.store.keys() {
        assert_eq!(world.metadata(&key).await.run.as_deref(), Some("run-2"), "{key}");
    }
    assert_eq!(world.asked("/time_series").await.len(), 59, "each month once");
    assert_eq!(world.heard.kinds(), [Kind::SplitFound]);
    let text = world.heard.text();
    assert!(text.contains("AAPL 1h") && text.contains("0.2500"), "{text}");
}

#[tokio::test]
async fn a_split_is_not_lost_when_the_credits_end_in_its_middle() {
    let world = split("1h", "every").await;
    let before = close(&world, OPEN).await;
    let ten = Plan { per_minute: Some(10), per_day: None };
    let outcome = deliver(world.ingest(ten, KEY), &fetch_in("run-2", "AAPL", "1h")).await;
    assert!(matches!(outcome, Err(Setback::Later { .. })), "{outcome:?}");
    assert!((close(&world, OPEN).await - before).abs() < 0.001, "what shows the split is still there");
    deliver(world.ingest(PLENTY, KEY), &fetch_in("run-2", "AAPL", "1h")).await.unwrap();
    assert!(is_a_quarter(close(&world, OPEN).await, before));
    for key in world.store.keys() {
        assert_eq!(world.metadata(&key).await.run.as_deref(), Some("run-2"), "{key}");
    }
    assert_eq!(world.asked("/time_series").await.len(), 60, "only the month that shows it was asked for twice");
    assert_eq!(world.heard.kinds(), [Kind::SplitFound]);
}

/// What was fetched before the split, and what is fetched after it, touch in no candle.
#[tokio::test]
async fn a_split_in_the_middle_of_a_backfill_is_found_where_that_goes_on() {
    let world = world(Settings::default()).await;
    let credits = |most| Plan { per_minute: Some(most), per_day: None };
    let outcome = deliver(world.ingest(credits(10), KEY), &fetch("AAPL", "1h")).await;
    assert!(matches!(outcome, Err(Setback::Later { .. })), "{outcome:?}");
    let fetched = world.store.keys().len();
    let before = close(&world, OLDEST).await;
    let next = world.at(AFTER).await;
    next.set("splits", json!({"symbol": "AAPL", "date": "2024-12-31", "ratio": 0.25, "rewrites": "every"})).await;
    let outcome = deliver(next.ingest(credits(5), KEY), &fetch("AAPL", "1h")).await;
    assert!(matches!(outcome, Err(Setback::Later { .. })), "{outcome:?}");
    assert_eq!((next.store.keys().len(), next.heard.kinds()), (fetched, vec![]), "what was there comes first");
    deliver(next.ingest(PLENTY, KEY), &fetch("AAPL", "1h")).await.unwrap();
    assert!(is_a_quarter(close(&next, OLDEST).await, before));
    let fetched_at = Some(AFTER.parse().unwrap());
    for key in next.store.keys() {
        assert_eq!(next.metadata(&key).await.fetched_at, fetched_at, "{key}");
    }
    assert_eq!(next.asked("/time_series").await.len(), 60, "only the month that shows it was asked for twice");
    assert_eq!(next.heard.kinds(), [Kind::SplitFound]);
}

#[tokio::test]
async fn a_backfill_that_goes_on_the_next_day_asks_for_one_month_twice() {
    let world = world(Settings::default()).await;
    let ten = Plan { per_minute: Some(10), per_day: None };
    deliver(world.ingest(ten, KEY), &fetch("AAPL", "1h")).await.unwrap_err();
    let fetched = world.store.keys().len();
    let next = world.at(AFTER).await;
    next.deliver(&fetch("AAPL", "1h")).await.unwrap();
    assert_eq!((next.asked("/time_series").await.len(), next.heard.kinds()), (59 - fetched + 1, vec![]));
}

#[tokio::test]
async fn history_that_is_left_as_it_was_is_no_split() {
    let world = split("1h", "daily").await;
    world.deliver(&fetch_in("run-2", "AAPL", "1h")).await.unwrap();
    assert_eq!((world.asked("/time_series").await.len(), world.heard.kinds()), (1, vec![]));
}

#[tokio::test]
async fn days_are_replaced_whole_and_the_owner_hears_of_it() {
    const DAILY: &str = "raw/interval=1day/symbol=AAPL/candles.csv";
    let world = split("1day", "daily").await;
    let oldest = close(&world, DAILY).await;
    world.deliver(&fetch_in("run-2", "AAPL", "1day")).await.unwrap();
    // The window has left a day behind since, which is asked for once more, because it is rewritten too.
    assert_eq!((world.asked("/time_series").await.len(), world.heard.kinds()), (2, vec![Kind::SplitFound]));
    assert!(is_a_quarter(close(&world, DAILY).await, oldest));
    assert!(world.lines(DAILY).await.last().unwrap().starts_with("2019-12-30,"));
}
