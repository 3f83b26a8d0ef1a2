//! Loading 487,000 minutes against `psql \copy` of the same file into the same table, in the same minute.
//!
//! `cargo bench -p candlewick-loader --bench load` starts a PostgreSQL of its own and stops it. Each round measures all
//! four, one after the other; what is printed are the rounds and the ratios of their medians.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails has nothing to tell")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use candlewick_loader::handler::Loader;
use candlewick_localstack::state::StateDir;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::adapters::postgres;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_test_support::figures::median;
use candlewick_test_support::{bucket, server};
use sqlx::PgPool;

const ROWS: i64 = 487_000;
const ROUNDS: usize = 5;
const KEY: &str = "transformed/interval=1min/symbol=AAPL/2024-01.csv";

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let postgres = server::postgres_at(&state, "candles", server::free_port()).await;
    let pool = postgres::connect(&postgres.url(), 2).await.unwrap();
    postgres::migrate(&pool).await.unwrap();
    let file = dir.path().join("clean.csv");
    fs::write(&file, clean(0).replace(",has_volume", "").replace(",true,false", ",false")).unwrap();
    println!("PostgreSQL {}, {ROWS} rows; seconds: \\copy, new, 1 % changed, the same again", postgres.version);
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round(&pool, &postgres.url(), &file).await);
        println!("{:.3?}", rounds.last().unwrap());
    }
    let [copy, new, changed, again] = [0, 1, 2, 3].map(|at| median(rounds.iter().map(|round| round[at]).collect()));
    println!(
        "of \\copy ({copy:.3}): new {:.2}, 1 % changed {:.2}, again {:.4}",
        new / copy,
        changed / copy,
        again / copy
    );
    pool.close().await;
    postgres.process.stop().await;
}

/// Minutes of a walk that is the same in every run; of a later version each hundredth has another close.
fn clean(version: i64) -> String {
    let mut text = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n".to_owned();
    let start: jiff::Timestamp = "2020-01-02T14:30:00Z".parse().unwrap();
    let mut cents = 25_000_i64;
    for row in 0..ROWS {
        cents += (row * 7919) % 23 - 11;
        let price = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        let close = if row % 100 == 0 { cents + version } else { cents };
        let time = start + jiff::SignedDuration::from_mins(row);
        let [open, high, low, close] = [cents - 3, cents + 9, cents - 12, close].map(price);
        text +=
            &format!("AAPL,1min,{time},{open},{high},{low},{close},{},true,false\n", 1000 + (row * 104_729) % 90_000);
    }
    text
}

async fn round(pool: &PgPool, url: &str, file: &Path) -> [f64; 4] {
    empty(pool).await;
    let copy = copy(url, file);
    empty(pool).await;
    let store = Arc::new(MemoryStore::default());
    let put = async |version| {
        let object = NewObject::csv(clean(version).into_bytes(), Metadata::new());
        store.put(KEY, object, PutIf::Always).await.unwrap();
    };
    put(0).await;
    let new = load(pool, &store).await;
    put(5).await;
    let changed = load(pool, &store).await;
    [copy, new, changed, load(pool, &store).await]
}

/// An empty table, at rest, and a row of the ledger for what `\copy` copies.
async fn empty(pool: &PgPool) {
    let sql = "truncate objects, candles, shadowed_candles, quality; alter table candles alter object_id set default 0;
        insert into objects (id, key, symbol, interval) overriding system value values (0, 'copy', 'COPY', '1min')";
    sqlx::raw_sql(sql).execute(pool).await.unwrap();
    sqlx::raw_sql("checkpoint").execute(pool).await.unwrap();
}

fn copy(url: &str, file: &Path) -> f64 {
    let columns = "symbol,interval,time,open,high,low,close,volume,is_filled";
    let command = format!("\\copy candles({columns}) from '{}' csv header", file.display());
    let begun = Instant::now();
    let status = Command::new("psql").args([url, "-qc", &command]).status().unwrap();
    assert!(status.success());
    begun.elapsed().as_secs_f64()
}

async fn load(pool: &PgPool, store: &Arc<MemoryStore>) -> f64 {
    let store = Arc::clone(store) as Arc<dyn ObjectStore>;
    let loader = Loader::new(store, pool.clone(), Arc::new(jiff::Timestamp::now));
    let begun = Instant::now();
    loader.handle(bucket::created(KEY)).await.unwrap();
    begun.elapsed().as_secs_f64()
}
