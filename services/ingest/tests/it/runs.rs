//! What a run hears of its series.

use candlewick_ingest::credits::budget::Plan;
use candlewick_shared::runtime::outcome::{Setback, Settled};
use candlewick_simulator::settings::Settings;

use crate::support::{KEY, PLENTY, World, class, deliver, faulty, fetch, world};

/// A world in which run `run-1` expects everything.
async fn expecting(world: World) -> World {
    world.deliver(r#"{"kind":"refresh","run":"run-1"}"#).await.unwrap();
    world.messages().await;
    world
}

#[tokio::test]
async fn a_run_hears_what_was_written_of_each_series() {
    let world = expecting(world(Settings::default()).await).await;
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    world.deliver(&fetch("AAPL", "1h")).await.unwrap();
    let series = world.book.entry("run-1").series;
    assert_eq!(series["AAPL 1day"], "fetched raw/interval=1day/symbol=AAPL/candles.csv");
    let months: Vec<_> = series["AAPL 1h"].split(' ').skip(1).collect();
    let written = world.store.keys();
    assert!(months.len() > 50 && months.iter().all(|key| written.contains(&(*key).to_owned())), "{months:?}");
    assert_eq!(series["MSFT 1day"], "expected");
}

#[tokio::test]
async fn a_series_that_the_run_has_costs_no_credit_again() {
    let world = expecting(world(Settings::default()).await).await;
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    let first = world.object("raw/interval=1day/symbol=AAPL/candles.csv").await.info.last_modified;
    assert!(matches!(world.deliver(&fetch("AAPL", "1day")).await.unwrap(), Settled::Superseded(_)));
    let second = world.object("raw/interval=1day/symbol=AAPL/candles.csv").await.info.last_modified;
    assert_eq!(first, second);
}

/// What the book says of AAPL, after each of these plans was one process's that was broken off.
async fn told_after(interval: &str, plans: &[Plan]) -> (World, String) {
    let world = expecting(world(Settings::default()).await).await;
    for plan in plans {
        let _ = deliver(world.ingest(*plan, KEY), &fetch("AAPL", interval)).await;
    }
    let told = world.book.entry("run-1").series[&format!("AAPL {interval}")].clone();
    (world, told)
}

#[tokio::test]
async fn a_run_hears_also_of_what_was_written_before_somebody_was_broken_off() {
    let ten = Plan { per_minute: Some(10), per_day: None };
    let (world, told) = told_after("1h", &[ten]).await;
    assert_eq!((told.as_str(), world.store.keys().len()), ("expected", 9));
    let (world, told) = told_after("1h", &[ten, PLENTY]).await;
    assert_eq!(told, format!("fetched {}", world.store.keys().join(" ")));
}

#[tokio::test]
async fn what_is_there_and_nobody_told_of_counts_as_fetched_and_costs_no_credit() {
    for interval in ["1day", "1h"] {
        let world = world(Settings::default()).await;
        // The book knows the run only after the objects are there, as it would where a process died in between.
        world.deliver(&fetch("AAPL", interval)).await.unwrap();
        let asked = world.asked("/time_series").await.len();
        let world = expecting(world).await;
        assert_eq!(world.deliver(&fetch("AAPL", interval)).await.unwrap(), Settled::Done);
        assert_eq!(world.asked("/time_series").await.len(), asked);
        let told = world.book.entry("run-1").series[&format!("AAPL {interval}")].clone();
        assert_eq!(told, format!("fetched {}", world.store.keys().join(" ")));
    }
}

#[tokio::test]
async fn a_series_of_which_there_is_nothing_new_is_told_as_that() {
    let world = expecting(faulty("empty-values").await).await;
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    assert_eq!(world.book.entry("run-1").series["AAPL 1day"], "fetched ");
}

#[tokio::test]
async fn a_series_that_can_never_be_fetched_has_failed_for_its_reason() {
    let world = expecting(faulty("plan-gate").await).await;
    assert_eq!(class(&world.deliver(&fetch("AAPL", "1day")).await), "plan");
    let state = world.book.entry("run-1").series["AAPL 1day"].clone();
    assert!(state.starts_with("failed plan: AAPL 1day"), "{state}");
    world.no_text_shows_url_or_key(&Ok(Settled::Superseded(state)));
}

#[tokio::test]
async fn what_passes_is_no_failure_of_the_run() {
    let world = expecting(faulty("500").await).await;
    assert!(matches!(world.deliver(&fetch("AAPL", "1day")).await, Err(Setback::Down(_))));
    assert_eq!(world.book.entry("run-1").series["AAPL 1day"], "expected");
}

#[tokio::test]
async fn nothing_is_fetched_that_the_book_could_not_be_told_of() {
    let world = expecting(world(Settings::default()).await).await;
    world.book.set_down(true);
    assert!(matches!(world.deliver(&fetch("AAPL", "1day")).await, Err(Setback::Down(_))));
    assert_eq!(world.store.keys(), [""; 0]);
}
