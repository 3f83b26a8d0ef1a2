//! Whatever happens to three overlapping objects, and in whatever order the loader is notified, the table is their
//! union, newest first.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use candlewick_shared::runtime::outcome::{Setback, Settled};
use libtest_mimic::Trial;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use crate::support::{FEBRUARY, JANUARY, MARCH, World, body, origin};

pub fn trials() -> Vec<Trial> {
    trials![the_table_is_the_union_of_what_was_delivered]
}

const KEYS: [&str; 3] = [JANUARY, FEBRUARY, MARCH];

/// Candles by minute; `None` for a file that is not valid transformed CSV.
type Content = Option<BTreeMap<i64, u32>>;

/// A step of a history.
#[derive(Clone, Debug)]
enum Step {
    /// An object is written. `second` is when its raw object was written, and may go back.
    Put { object: usize, second: i64, content: Content },
    /// The loader is notified of an object.
    Deliver { object: usize },
}

/// A version: the second of its raw object, and its candles.
type Version = (i64, BTreeMap<i64, u32>);

/// The model: the contents of the bucket, the loaded versions, and the objects whose newest version is broken.
#[derive(Default)]
struct Model {
    bucket: [Option<(i64, Content)>; 3],
    loaded: [Option<Version>; 3],
    broken: [bool; 3],
}

impl Model {
    fn deliver(&mut self, object: usize) {
        let Some((second, content)) = self.bucket[object].clone() else { return };
        self.broken[object] = content.is_none();
        if let Some(candles) = content {
            self.loaded[object] = Some((second, candles));
        }
    }

    /// All claims, newest first, as minute, close and key.
    fn claims(&self) -> Vec<(i64, u32, String)> {
        let loaded = self.loaded.iter().zip(KEYS).filter_map(|(version, key)| Some((version.as_ref()?, key)));
        let mut newest_first: Vec<_> = loaded.map(|((second, candles), key)| (*second, key, candles)).collect();
        newest_first.sort_by(|one, other| (other.0, other.1).cmp(&(one.0, one.1)));
        let claims = newest_first
            .iter()
            .flat_map(|(_, key, candles)| candles.iter().map(|(minute, close)| (*minute, *close, (*key).to_owned())));
        claims.collect()
    }

    /// The expected candles of the table, and the expected shadowed claims.
    fn table_and_shadowed(&self) -> [Vec<(i64, u32, String)>; 2] {
        let mut table = BTreeMap::new();
        let mut shadowed = Vec::new();
        for claim in self.claims() {
            match table.entry(claim.0) {
                Entry::Vacant(vacant) => {
                    vacant.insert(claim);
                }
                Entry::Occupied(_) => shadowed.push(claim),
            }
        }
        shadowed.sort_by_key(|(minute, _, key)| (*minute, key.clone()));
        [table.into_values().collect(), shadowed]
    }
}

/// Few minutes, closes and seconds, so that collisions are frequent.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let content = prop_oneof![9 => btree_map(1..7_i64, 1..4_u32, 0..6).prop_map(Some), 1 => Just(None)];
    let put =
        (0..3_usize, 1..6_i64, content).prop_map(|(object, second, content)| Step::Put { object, second, content });
    let deliver = (0..3_usize).prop_map(|object| Step::Deliver { object });
    vec(prop_oneof![put, deliver], 4..24)
}

async fn the_table_is_the_union_of_what_was_delivered(world: World) {
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    let held = |steps| {
        tokio::task::block_in_place(|| Handle::current().block_on(hold(&world, steps)));
        Ok(())
    };
    TestRunner::new(config).run(&steps(), held).unwrap_or_else(|error| panic!("{error}"));
}

/// The number of histories: set `HISTORIES` for a longer search.
fn cases() -> u32 {
    std::env::var("HISTORIES").map_or(48, |text| text.parse().unwrap())
}

/// Runs a history, and checks the table after each delivery.
async fn hold(world: &World, steps: Vec<Step>) {
    let mut model = Model::default();
    for key in KEYS {
        world.bucket.inner.remove(key);
    }
    world.empty().await;
    // Finally, every object is delivered once more, as by a queue that delivers at least once.
    for step in steps.into_iter().chain((0..3).map(|object| Step::Deliver { object })) {
        match step {
            Step::Put { object, second, content } => {
                put(world, KEYS[object], second, &content).await;
                model.bucket[object] = Some((second, content));
            }
            Step::Deliver { object } => {
                model.deliver(object);
                deliver(world, &model, object).await;
                let expected = model.table_and_shadowed();
                assert_eq!([world.table().await, world.shadowed().await], expected);
            }
        }
    }
}

async fn put(world: &World, key: &str, second: i64, content: &Content) {
    let rows: Option<Vec<_>> = content.clone().map(|candles| candles.into_iter().collect());
    let body = rows.map_or_else(|| b"broken".to_vec(), |rows| body(key, &rows));
    world.put(key, body, origin(second).write()).await;
}

async fn deliver(world: &World, model: &Model, object: usize) {
    let outcome = world.deliver(KEYS[object]).await;
    let key = KEYS[object];
    if model.bucket[object].is_none() {
        let class = if let Err(Setback::Permanent(failure)) = &outcome { failure.class } else { "none" };
        assert_eq!(class, "object_missing");
        return;
    }
    assert_eq!(outcome.is_err(), model.broken[object], "{outcome:?}");
    let is_noted = sqlx::query_scalar("select error is not null from objects where key = $1").bind(key);
    assert_eq!(is_noted.fetch_one(&world.pool).await.ok(), Some(model.broken[object]));
    if outcome.ok() == Some(Settled::Done) {
        let (total, inserted, updated, unchanged, _) = world.counts(key).await;
        assert_eq!(total, inserted + updated + unchanged);
    }
}
