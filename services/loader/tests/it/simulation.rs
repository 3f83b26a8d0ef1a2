//! Three objects of a series against a model: each seed rewrites them with newer and older versions, loses, duplicates
//! and reorders their events, and drops loads in the middle. In the end the table is the union of the strongest claims
//! (real candles before filled ones, then the newest), and the shadowed claims are those of the model.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use futures::StreamExt;
use futures::stream;
use libtest_mimic::Trial;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::support::{Claim, FILLED, World};

/// The default number of seeds; `CANDLEWICK_SEEDS` sets another one, and `CANDLEWICK_SEED` the first seed.
const SEEDS: u64 = 1000;

/// The number of concurrent seeds, each with its own series.
const AT_ONCE: usize = 4;

/// The number of steps per seed.
const STEPS: u32 = 10;

const MONTHS: [&str; 3] = ["2024-01", "2024-02", "2024-03"];

pub fn trials() -> Vec<Trial> {
    trials![the_table_is_the_union_whatever_happens]
}

/// The current objects: by key, when the raw object was written, and the minute and close of each candle.
#[derive(Default)]
struct Model {
    objects: BTreeMap<String, (i64, BTreeMap<i64, u32>)>,
}

impl Model {
    /// The candles, and the shadowed claims.
    fn claims(&self) -> (Vec<Claim>, Vec<Claim>) {
        let mut of_minute: BTreeMap<i64, Vec<(bool, i64, &String, u32)>> = BTreeMap::new();
        for (key, (written, rows)) in &self.objects {
            for (minute, close) in rows {
                let is_real = *close < FILLED;
                of_minute.entry(*minute).or_default().push((is_real, *written, key, *close));
            }
        }
        let mut table = Vec::new();
        let mut waiting = Vec::new();
        for (minute, mut claims) in of_minute {
            let claim = |(_, _, key, close): (bool, i64, &String, u32)| (minute, close, key.clone());
            claims.sort_unstable();
            table.extend(claims.pop().map(claim));
            claims.sort_unstable_by_key(|(_, _, key, _)| *key);
            waiting.extend(claims.into_iter().map(claim));
        }
        (table, waiting)
    }
}

async fn the_table_is_the_union_whatever_happens(world: World) {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().unwrap());
    let first = number("CANDLEWICK_SEED").unwrap_or(0);
    let seeds = first..first + number("CANDLEWICK_SEEDS").unwrap_or(SEEDS);
    let crashes = AtomicU64::new(0);
    let lives = seeds.clone().map(|seed| live(&world, seed, &crashes));
    let differences: Vec<_> = stream::iter(lives).buffer_unordered(AT_ONCE).filter_map(async |it| it).collect().await;
    let again = "repeat one with CANDLEWICK_SEED=… CANDLEWICK_SEEDS=1";
    assert!(differences.is_empty(), "{again}:\n{}", differences.join("\n"));
    let crashes = crashes.into_inner();
    let seeds = seeds.end - seeds.start;
    assert!(crashes >= seeds / 2, "only {crashes} loads were dropped in {seeds} seeds");
}

/// The difference between the table and the model, if there is one.
async fn live(world: &World, seed: u64, crashes: &AtomicU64) -> Option<String> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut model = Model::default();
    let mut events = Vec::new();
    let key = |month: &str| format!("transformed/interval=1min/symbol=S{seed}/{month}.csv");
    for _ in 0..STEPS {
        if dice.random_bool(0.6) {
            let key = key(MONTHS[dice.random_range(0..MONTHS.len())]);
            events.extend(vec![key.clone(); dice.random_range(0..3)]);
            write(world, &mut dice, &mut model, key).await;
        } else if !events.is_empty() {
            let event = events.swap_remove(dice.random_range(0..events.len()));
            deliver(world, &mut dice, &event, crashes).await;
        }
    }
    // Announces every object once more, as the reconciliation does.
    for key in model.objects.keys() {
        world.deliver(key).await.unwrap();
    }
    let found = world.claims_of(&format!("S{seed}")).await;
    let expected = model.claims();
    (found != expected).then(|| format!("seed {seed}: {found:?} instead of {expected:?}"))
}

async fn write(world: &World, dice: &mut StdRng, model: &mut Model, key: String) {
    let minutes: Vec<i64> = (0..6).filter(|_| dice.random_bool(0.5)).collect();
    let mut close = || dice.random_range(1..4) + if dice.random_bool(0.3) { FILLED } else { 0 };
    let rows: BTreeMap<i64, u32> = minutes.into_iter().map(|minute| (minute, close())).collect();
    let written = dice.random_range(1..5);
    world.put_rows(&key, written, &rows.clone().into_iter().collect::<Vec<_>>()).await;
    model.objects.insert(key, (written, rows));
}

/// Loads the object of an event, or drops the load after some of its steps, as if the process had died.
async fn deliver(world: &World, dice: &mut StdRng, key: &str, crashes: &AtomicU64) {
    let mut left = dice.random_range(1..25_u32);
    let mut load = pin!(world.deliver(key));
    let ended = poll_fn(|context| match load.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    });
    match ended.await {
        Some(outcome) => drop(outcome.unwrap()),
        None => drop(crashes.fetch_add(1, Ordering::Relaxed)),
    }
}
