//! Real files, damaged at random and dropped over the good ones: what leaves the table is in an alert, and a file that is
//! refused changes nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use candlewick_loader::handler::Loader;
use candlewick_notifier::losses;
use candlewick_shared::core::key::RawKey;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::runtime::outcome::{Outcome, Setback};
use candlewick_test_support::bucket::{self, Bucket};
use candlewick_test_support::mutations::{RealFile, damage, encode};
use candlewick_test_support::{run, server, trial};
use candlewick_transform::handler::Transform;
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

/// The number of damaged files.
const SEEDS: u64 = 400;

/// With it every loss is too large.
const WATCHLIST: &str = "[defaults]\nmax_lost = 0\n[groups.all]\nsymbols = [\"ABC\"]\n";

fn main() -> ExitCode {
    run(vec![trial("nothing_leaves_the_table_without_an_alert", nothing_leaves_the_table_without_an_alert)])
}

async fn nothing_leaves_the_table_without_an_alert() {
    let database = PgPoolOptions::new()
        .max_connections(5)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(server::new_database().await)
        .await
        .unwrap();
    let mut seen = Seen::default();
    for seed in 0..SEEDS {
        let world = World { bucket: Bucket::default(), database: database.clone() };
        world.check(seed, &mut seen).await;
        world.empty().await;
    }
    let Seen { refused, lost, kept } = seen;
    assert!(refused > 40 && lost > 40 && kept > 40, "the files are too much alike: {refused}, {lost}, {kept}");
}

/// How the damaged files ended.
#[derive(Default)]
struct Seen {
    refused: u32,
    lost: u32,
    kept: u32,
}

/// A bucket, a database, and the services between them.
struct World {
    bucket: Bucket,
    database: PgPool,
}

impl World {
    /// Drops a good file and then a damaged one at its key.
    async fn check(&self, seed: u64, seen: &mut Seen) {
        let mut random = StdRng::seed_from_u64(seed);
        let file = RealFile::any(&mut random);
        let good = file.text();
        self.drop_file(&file, good.as_bytes()).await.unwrap_or_else(|setback| panic!("{}: {setback:?}", file.name));
        let before = self.real_candles().await;
        assert!(!before.is_empty(), "{} has no candle", file.name);
        let damaged = damage(&mut random, &good);
        let outcome = self.drop_file(&file, &encode(&mut random, &damaged)).await;
        let lost = before.difference(&self.real_candles().await).count();
        let told = self.told().await;
        match outcome {
            Err(Setback::Permanent(_)) => seen.refused += 1,
            Ok(_) if lost > 0 => seen.lost += 1,
            Ok(_) => seen.kept += 1,
            Err(setback) => panic!("seed {seed}, {}: {setback:?}\n{damaged}", file.name),
        }
        assert_eq!(told, lost, "seed {seed}, {}: {outcome:?}\n{damaged}", file.name);
        let is_refused = outcome.is_err();
        assert!(!is_refused || lost == 0, "seed {seed}, {}: a refused file took {lost} candles", file.name);
    }

    /// Takes a file through transform and loader. A permanent failure would be a dead letter.
    async fn drop_file(&self, file: &RealFile, body: &[u8]) -> Outcome {
        let key: RawKey = file.key().parse().unwrap();
        let metadata = [("fetched-at", "2024-12-30T22:00:00Z"), ("calendar", file.calendar), ("timezone", file.zone)];
        self.bucket.drop_object(&file.key(), body, &metadata).await;
        let store: Arc<dyn ObjectStore> = Arc::new(self.bucket.clone());
        Transform::new(store.clone(), Arc::new(now)).handle(bucket::created(&file.key())).await?;
        Loader::new(store, self.database.clone(), Arc::new(now))
            .handle(bucket::created(&key.path.transformed_key()))
            .await
    }

    /// The times of the real candles in the table.
    async fn real_candles(&self) -> BTreeSet<i64> {
        let query = "select extract(epoch from time)::bigint from candles where not is_filled";
        sqlx::query_scalar(query).fetch_all(&self.database).await.unwrap().into_iter().collect()
    }

    /// The number of lost candles that alerts report.
    async fn told(&self) -> usize {
        let mut connection = self.database.acquire().await.unwrap();
        let losses = losses::take_unjudged(&mut connection).await.unwrap();
        let watchlist = Arc::new(WATCHLIST.parse::<Watchlist>().unwrap());
        let alerts = losses::alerts(&losses, Some(&watchlist), &[]);
        assert_eq!(alerts.is_empty(), losses.is_empty(), "{losses:?}");
        losses.iter().map(|loss| usize::try_from(loss.candles).unwrap()).sum()
    }

    async fn empty(&self) {
        let delete = "delete from shadowed_candles; delete from candles; delete from objects";
        sqlx::raw_sql(delete).execute(&self.database).await.unwrap();
    }
}

fn now() -> Timestamp {
    "2024-12-31T00:00:00Z".parse().unwrap()
}
