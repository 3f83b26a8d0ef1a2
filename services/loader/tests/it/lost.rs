//! The ledger records what a series loses by a load: exactly the real candles that disappear from the table.

use std::collections::{BTreeMap, BTreeSet};

use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::clean_csv::{self, CleanCandles};
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::metadata::TransformedMetadata;
use libtest_mimic::Trial;
use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use crate::support::{FEBRUARY, JANUARY, MARCH, World, origin};

pub fn trials() -> Vec<Trial> {
    trials![
        candles_that_a_new_version_lacks_are_lost,
        a_real_candle_that_becomes_a_filled_one_is_lost,
        filled_candles_and_those_that_another_object_has_are_no_loss,
        a_loss_says_whose_file_it_was_and_what_stood_there_before,
        every_real_candle_that_leaves_the_table_is_in_the_ledger
    ]
}

/// The candles by minute: the price, and whether cleaning filled it in.
type Minutes = BTreeMap<i64, (u32, bool)>;

fn real(minutes: impl IntoIterator<Item = i64>) -> Minutes {
    minutes.into_iter().map(|minute| (minute, (10, false))).collect()
}

fn body(key: &str, minutes: &Minutes) -> Vec<u8> {
    let key: TransformedKey = key.parse().unwrap();
    let candles = minutes.iter().map(|(minute, (price, is_filled))| {
        let price = price.to_string().parse().unwrap();
        let time = CandleTime::from_seconds(minute * 60);
        Candle { time, open: price, high: price, low: price, close: price, volume: None, is_filled: *is_filled }
    });
    clean_csv::write(&key.path.series, &CleanCandles { candles: candles.collect() }).unwrap()
}

async fn load(world: &World, key: &str, second: i64, minutes: &Minutes) {
    world.put(key, body(key, minutes), origin(second).write()).await;
    world.deliver(key).await.unwrap();
}

/// For each load that lost candles: how many of how many were lost, and the first and the last minute of them.
async fn losses(world: &World) -> Vec<(i64, i64, i64, i64)> {
    let query = "select candles, of_candles, (extract(epoch from first_time) / 60)::bigint,
        (extract(epoch from last_time) / 60)::bigint from lost_candles order by id";
    sqlx::query_as(query).fetch_all(&world.pool).await.unwrap()
}

async fn candles_that_a_new_version_lacks_are_lost(world: World) {
    load(&world, JANUARY, 1, &real(1..=10)).await;
    load(&world, FEBRUARY, 2, &real(20..=29)).await;
    assert_eq!(losses(&world).await, []);
    load(&world, JANUARY, 3, &real([1, 2, 9, 10, 11])).await;
    assert_eq!(losses(&world).await, [(6, 20, 3, 8)], "the share is one of the series");
    load(&world, JANUARY, 4, &real([1, 2, 9, 10, 11])).await;
    assert_eq!(losses(&world).await.len(), 1, "the same again takes nothing");
}

async fn a_real_candle_that_becomes_a_filled_one_is_lost(world: World) {
    load(&world, JANUARY, 1, &real(1..=3)).await;
    let mut filled = real(1..=3);
    filled.insert(2, (10, true));
    load(&world, JANUARY, 2, &filled).await;
    assert_eq!(losses(&world).await, [(1, 3, 2, 2)]);
    load(&world, JANUARY, 3, &real(1..=3)).await;
    assert_eq!(losses(&world).await.len(), 1, "a filled candle that becomes a real one is a gain");
}

async fn filled_candles_and_those_that_another_object_has_are_no_loss(world: World) {
    let mut filled = real(1..=3);
    filled.insert(4, (10, true));
    load(&world, JANUARY, 1, &filled).await;
    load(&world, JANUARY, 2, &real(1..=3)).await;
    load(&world, FEBRUARY, 3, &real(2..=5)).await;
    load(&world, FEBRUARY, 4, &real(4..=5)).await;
    assert_eq!(losses(&world).await, [], "what FEBRUARY gave up, JANUARY has");
    load(&world, FEBRUARY, 5, &real(5..=5)).await;
    assert_eq!(losses(&world).await, [(1, 5, 4, 4)]);
}

async fn a_loss_says_whose_file_it_was_and_what_stood_there_before(world: World) {
    load(&world, JANUARY, 1, &real(1..=3)).await;
    let of = |etag: &str, second| TransformedMetadata {
        source: Some("drop".to_owned()),
        raw_etag: etag.to_owned(),
        ..origin(second)
    };
    world.put(JANUARY, body(JANUARY, &real(1..=2)), of("new", 2).write()).await;
    world.done(JANUARY).await;
    let said = world.value("select concat_ws(' ', source, raw_key, raw_etag, raw_etag_before) from lost_candles").await;
    assert_eq!(said, "drop raw/file.csv new raw-etag");
}

/// A version of one of three objects, with the second of its raw object.
fn step() -> impl Strategy<Value = (usize, i64, Minutes)> {
    let minutes = btree_map(0..8_i64, (1..3_u32, any::<bool>()), 0..8);
    (0..3_usize, 1..6_i64, minutes)
}

async fn every_real_candle_that_leaves_the_table_is_in_the_ledger(world: World) {
    let handle = Handle::current();
    let run = move || {
        let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
        runner.run(&proptest::collection::vec(step(), 1..12), |steps| handle.block_on(check(&world, &steps)))
    };
    tokio::task::spawn_blocking(run).await.unwrap().unwrap();
}

async fn real_minutes(world: &World) -> BTreeSet<i64> {
    let query = "select (extract(epoch from time) / 60)::bigint from candles where not is_filled";
    sqlx::query_scalar(query).fetch_all(&world.pool).await.unwrap().into_iter().collect()
}

async fn check(world: &World, steps: &[(usize, i64, Minutes)]) -> Result<(), TestCaseError> {
    world.empty().await;
    let mut before = BTreeSet::new();
    for (object, second, minutes) in steps {
        let told = losses(world).await.len();
        load(world, [JANUARY, FEBRUARY, MARCH][*object], *second, minutes).await;
        let after = real_minutes(world).await;
        let gone: Vec<_> = before.difference(&after).copied().collect();
        let expected =
            gone.first().zip(gone.last()).map(|(first, last)| (gone.len() as i64, before.len() as i64, *first, *last));
        prop_assert_eq!(losses(world).await.get(told).copied(), expected, "{:?}", steps);
        before = after;
    }
    Ok(())
}
