//! Many files at once, and one file at a time, through the services.

use std::time::{Duration, Instant};

use candlewick_shared::ports::store::ObjectStore;
use candlewick_test_support::figures::median;
use futures::{StreamExt, stream};
use sqlx::PgPool;

use crate::Extent;
use crate::files;
use crate::processes::Processes;
use crate::support::Environment;

/// How many files are put at the same time.
const PUTS: usize = 8;

/// What a round measured.
#[derive(Clone, Default)]
pub struct Measured {
    /// From the first put to the last commit, in seconds.
    pub drop: f64,
    /// From a put to its row visible, each, ascending, in milliseconds.
    pub latencies: Vec<f64>,
    /// The CPU time of all processes a file, in milliseconds.
    pub cpu: f64,
    /// The most memory that each of them had during the drop, in megabytes.
    pub memory: Vec<(String, f64)>,
}

/// The symbols of a round.
pub fn symbols(round: &str, count: usize) -> Vec<String> {
    (0..count).map(|at| format!("{round}X{at}")).collect()
}

/// Puts the files of these symbols, several at once.
pub async fn put_all(store: &dyn ObjectStore, files: Vec<(String, Vec<u8>)>) {
    let puts = stream::iter(files).map(|(symbol, body)| async move { files::put_raw(store, &symbol, body).await });
    puts.buffer_unordered(PUTS).collect::<()>().await;
}

/// Measures a round of whatever serves the queues; `services` are its processes. The floor's also puts the files.
pub async fn measure(environment: &Environment, round: &str, extent: &Extent, services: &Processes) -> Measured {
    let store = environment.store();
    let pool = &environment.running.pool;
    // The first object opens connections; what is measured is what comes then.
    files::put_raw(&store, &format!("{round}W"), files::raw("W")).await;
    until_loaded(pool, &format!("{round}W"), 1).await;
    let named = symbols(round, extent.files).into_iter().map(|symbol| (symbol.clone(), files::raw(&symbol))).collect();
    services.forget_peaks();
    let cpu_before = services.cpu();
    let begun = Instant::now();
    put_all(&store, named).await;
    until_loaded(pool, &format!("{round}X%"), extent.files).await;
    let drop = begun.elapsed().as_secs_f64();
    let cpu = (services.cpu() - cpu_before).as_secs_f64() * 1000.0 / extent.files as f64;
    let memory = services.peaks();
    environment.settle().await;
    let mut latencies = Vec::new();
    for symbol in symbols(&format!("{round}L"), extent.latencies) {
        let body = files::raw(&symbol);
        let begun = Instant::now();
        files::put_raw(&store, &symbol, body).await;
        until_visible(pool, &symbol).await;
        latencies.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    latencies.sort_by(f64::total_cmp);
    Measured { drop, latencies, cpu, memory }
}

/// Waits until the objects of a symbol, or of a pattern of symbols, are loaded.
pub async fn until_loaded(pool: &PgPool, symbols: &str, count: usize) {
    let query = "select count(*) from objects where symbol like $1 and loaded_at is not null";
    while sqlx::query_scalar::<_, i64>(query).bind(symbols).fetch_one(pool).await.unwrap() < count as i64 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a symbol has rows.
pub async fn until_visible(pool: &PgPool, symbol: &str) {
    let query = "select exists (select from candles where symbol = $1 and interval = '1day')";
    while !sqlx::query_scalar::<_, bool>(query).bind(symbol).fetch_one(pool).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub fn report(extent: &Extent, floors: &[Measured], ours: &[Measured]) {
    println!("\n{} files of {} days; one file at a time {} times", extent.files, files::DAYS, extent.latencies);
    println!("| | objects/s | p50 ms | p99 ms | CPU ms a file | peak MB |\n|---|---|---|---|---|---|");
    for (who, rounds) in [("floor", floors), ("candlewick", ours)] {
        rounds.iter().for_each(|round| line(who, round, extent));
    }
    let of = |rounds: &[Measured], figure: fn(&Measured) -> f64| median(rounds.iter().map(figure).collect());
    let ratio = |figure| of(ours, figure) / of(floors, figure);
    println!("of the floor: objects/s {:.2}, p50 {:.2}, p99 {:.2}", 1.0 / ratio(|m| m.drop), ratio(p50), ratio(p99));
}

fn line(who: &str, round: &Measured, extent: &Extent) {
    let rate = extent.files as f64 / round.drop;
    let memory: Vec<_> = round.memory.iter().map(|(name, peak)| format!("{name} {peak:.0}")).collect();
    println!(
        "| {who} | {rate:.1} | {:.1} | {:.1} | {:.2} | {} |",
        p50(round),
        p99(round),
        round.cpu,
        memory.join(", ")
    );
}

fn p50(round: &Measured) -> f64 {
    round.latencies[round.latencies.len() / 2]
}

fn p99(round: &Measured) -> f64 {
    round.latencies[round.latencies.len() * 99 / 100]
}
