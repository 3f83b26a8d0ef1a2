//! Whole lives of the service on paused time. Each seed runs two processes at a time and kills both at one of their calls,
//! three times; the API fails, leaves candles out and runs out of credits; messages come twice, late and in any order. In the
//! end every series of every run was fetched or has a dead letter with a reason, no credit was spent on what a run already
//! had, and no candle that was stored is missing.

mod api;
mod support;

use std::collections::BTreeMap;

use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_test_support::lives::through_seeds;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use self::support::{KILLS, PROCESSES, RUNS, World};

/// How many seeds a run tries.
const SEEDS: u64 = 1000;

async fn live(seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let world = World::new(&mut dice);
    let disorder = tokio::spawn({
        let world = world.clone();
        let dice = StdRng::seed_from_u64(seed + 1_000_000);
        async move { world.ask_and_disorder(dice).await }
    });
    for _ in 0..KILLS {
        let lives = [(); PROCESSES].map(|()| world.start(dice.random_range(1..200), dice.random()));
        for life in lives {
            // A process that outlives its work is killed in its sleep.
            life.end_within(std::time::Duration::from_secs(600)).await;
        }
    }
    world.start(u64::MAX, dice.random());
    disorder.await.unwrap();
    world.until_empty().await;
    check(&world);
}

/// Run, symbol and interval of each dead letter, and its class.
fn letters(world: &World) -> BTreeMap<String, String> {
    let letters = world.dead_letters.messages().into_iter().map(|letter| {
        assert!(!letter.attributes["reason"].is_empty(), "{letter:?}");
        let IngestMessage::Fetch { run, symbol, interval, .. } = serde_json::from_str(&letter.body).unwrap() else {
            panic!("a refresh was given up: {letter:?}");
        };
        (format!("{run} {symbol} {interval}"), letter.attributes["class"].clone())
    });
    letters.collect()
}

fn check(world: &World) {
    let letters = letters(world);
    for run in RUNS {
        let entry = world.book.entry(run);
        assert!(entry.is_laid_out, "{run} is not laid out: {entry:?}");
        for series in world.series() {
            let class = letters.get(&format!("{run} {series}")).map(String::as_str);
            let state = entry.series.get(&series).unwrap_or_else(|| panic!("{run} does not expect {series}"));
            let is_known = !series.starts_with(api::UNKNOWN);
            match class {
                None => assert!(is_known && state.starts_with("fetched"), "{run} {series}: {state}"),
                Some("unknown_symbol") => assert!(!is_known && state.contains("unknown_symbol"), "{series}: {state}"),
                // Eight bad answers in a row.
                Some(class) => assert_eq!(class, "gave_up", "{run} {series}: {state}"),
            }
        }
    }
    world.store.check();
    assert_eq!(world.api.wasted(), Vec::<String>::new(), "asked again for what the run had");
}

#[test]
fn whatever_happens_every_series_is_fetched_or_given_up_and_nothing_stored_is_lost() {
    through_seeds(SEEDS, live);
}
