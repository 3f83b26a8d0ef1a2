//! 500 transformed objects of 1,260 days each: a transaction each, as the loader has it, against ten in one transaction.
//!
//! `cargo bench -p candlewick-loader --bench many` starts a PostgreSQL of its own and stops it. The objects are in memory, so
//! that nothing but the database is measured. Each round measures the loader, the bare statements of one object in a
//! transaction, and the bare statements of ten objects in one, with one `COPY` for all of them; what is printed are the
//! rounds and the ratios of their medians. What the last two differ by is the most that it could bring to load several
//! objects in one transaction.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails has nothing to tell")]

use std::sync::Arc;
use std::time::Instant;

use candlewick_loader::binary::{COLUMNS, Frame, HEADER, TRAILER};
use candlewick_loader::handler::Loader;
use candlewick_localstack::state::StateDir;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::adapters::postgres;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_test_support::figures::median;
use candlewick_test_support::{bucket, server};
use futures::{StreamExt, stream};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use sqlx::PgPool;

const OBJECTS: usize = 500;
const DAYS: i64 = 1260;
const ROUNDS: usize = 5;

/// How many objects, or groups of them, are loaded at the same time.
const AT_ONCE: usize = 4;

/// How many objects are in a group: as many as SQS gives in one answer.
const GROUP: usize = 10;

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let postgres = server::postgres_at(&state, "candles", server::free_port()).await;
    let pool = postgres::connect(&postgres.url(), AT_ONCE as u32 + 1).await.unwrap();
    postgres::migrate(&pool).await.unwrap();
    let store = store().await;
    let symbols: Vec<String> = (0..OBJECTS).map(symbol).collect();
    println!("PostgreSQL {}, {OBJECTS} objects of {DAYS} days; seconds: loader, one, {GROUP}", postgres.version);
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let loader = timed(&pool, symbols.chunks(1), async |group| load(&pool, &store, &group[0]).await).await;
        let one = timed(&pool, symbols.chunks(1), async |group| copy(&pool, group).await).await;
        let ten = timed(&pool, symbols.chunks(GROUP), async |group| copy(&pool, group).await).await;
        rounds.push([loader, one, ten]);
        println!("{loader:.3} {one:.3} {ten:.3}");
    }
    let [loader, one, ten] = [0, 1, 2].map(|at| median(rounds.iter().map(|round| round[at]).collect()));
    let rate = OBJECTS as f64 / loader;
    println!(
        "loader {rate:.0} objects/s; of one in a transaction: {GROUP} {:.2}, loader {:.2}",
        ten / one,
        loader / one
    );
    pool.close().await;
    postgres.process.stop().await;
}

/// How long it takes to do all groups, from an empty table at rest.
async fn timed<'a>(pool: &PgPool, groups: impl Iterator<Item = &'a [String]>, work: impl AsyncFn(&'a [String])) -> f64 {
    sqlx::raw_sql("truncate objects, candles, shadowed_candles, quality").execute(pool).await.unwrap();
    sqlx::raw_sql("checkpoint").execute(pool).await.unwrap();
    let begun = Instant::now();
    stream::iter(groups).map(|group| work(group)).buffer_unordered(AT_ONCE).collect::<()>().await;
    let seconds = begun.elapsed().as_secs_f64();
    let rows: i64 = sqlx::query_scalar("select count(*) from candles").fetch_one(pool).await.unwrap();
    assert_eq!(rows, OBJECTS as i64 * DAYS);
    seconds
}

/// The way of the loader.
async fn load(pool: &PgPool, store: &Arc<MemoryStore>, symbol: &str) {
    let loader = Loader::new(Arc::clone(store) as Arc<dyn ObjectStore>, pool.clone(), Arc::new(Timestamp::now));
    loader.handle(bucket::created(&key(symbol))).await.unwrap();
}

/// The least that a transaction for these objects needs.
async fn copy(pool: &PgPool, symbols: &[String]) {
    let keys: Vec<String> = symbols.iter().map(|symbol| key(symbol)).collect();
    let mut transaction = pool.begin().await.unwrap();
    let lock = "select pg_advisory_xact_lock(hashtextextended(symbol, 0)) from unnest($1::text[]) symbol";
    sqlx::query(lock).bind(symbols).execute(&mut *transaction).await.unwrap();
    let known =
        sqlx::query("select id from objects where key = any($1)").bind(&keys).fetch_all(&mut *transaction).await;
    assert!(known.unwrap().is_empty());
    let open = "insert into objects (key, symbol, interval)
        select key, symbol, '1day' from unnest($1::text[], $2::text[]) new (key, symbol) returning id";
    let ids: Vec<i64> = sqlx::query_scalar(open).bind(&keys).bind(symbols).fetch_all(&mut *transaction).await.unwrap();
    let statement = format!("copy candles (symbol, interval, {COLUMNS}, object_id) from stdin (format binary)");
    let mut copy = transaction.copy_in_raw(&statement).await.unwrap();
    let rows = symbols.iter().zip(&ids).flat_map(|(symbol, id)| rows(symbol, *id));
    copy.send(HEADER.iter().copied().chain(rows).chain(TRAILER.iter().copied()).collect::<Vec<_>>()).await.unwrap();
    copy.finish().await.unwrap();
    let note =
        "update objects set etag = 'x', loaded_at = now(), rows_total = $2, first_time = now() where id = any($1)";
    sqlx::query(note).bind(&ids).bind(DAYS).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

/// The rows of a symbol as `COPY` takes them, parsed as the loader does.
fn rows(symbol: &str, id: i64) -> Vec<u8> {
    let key: TransformedKey = key(symbol).parse().unwrap();
    let clean = clean_csv::read(clean(symbol).as_bytes(), &key.path.series).unwrap();
    let frame = Frame::default().text_before(symbol).text_before("1day").bigint_after(id);
    let mut rows = Vec::new();
    clean.candles.iter().for_each(|candle| frame.put(&mut rows, candle));
    rows
}

async fn store() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::default());
    for at in 0..OBJECTS {
        let object = NewObject::csv(clean(&symbol(at)).into_bytes(), Metadata::new());
        store.put(&key(&symbol(at)), object, PutIf::Always).await.unwrap();
    }
    store
}

fn symbol(at: usize) -> String {
    format!("X{at}")
}

fn key(symbol: &str) -> String {
    format!("transformed/interval=1day/symbol={symbol}/candles.csv")
}

/// Days of a walk that is the same in every run.
fn clean(symbol: &str) -> String {
    let mut text = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n".to_owned();
    let first: Date = "2020-01-02".parse().unwrap();
    let mut cents = 25_000_i64;
    for row in 0..DAYS {
        cents += (row * 7919) % 23 - 11;
        let [open, high, low, close] =
            [cents - 3, cents + 9, cents - 12, cents].map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
        let day = first + row.days();
        let volume = 1000 + (row * 104_729) % 90_000;
        text += &format!("{symbol},1day,{day},{open},{high},{low},{close},{volume},true,false\n");
    }
    text
}
