//! `candlewick status`: shows each series and each queue.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::database::DbTime;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::time_text::span;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::reads::dead_letters::{self, DeadLetter};
use candlewick_shared::reads::queues::{self, QueueDepth};
use candlewick_shared::reads::series::{self, StoredSeries};
use candlewick_shared::runtime::env::Env;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::PgPool;

use crate::place::Place;
use crate::{table, terminal};

/// The most dead letters that are read from each queue.
const MOST_LETTERS: usize = 500;

/// Shows each series (rows, first and last candle, filled, quarantined, the age of the last) and the depth of each
/// queue.
///
/// It lists the series of the store and of the watchlist. The age is measured by Candlewick's clock, which is simulated
/// while `up` uses the simulator. Needs the database and the queues; a queue that cannot be read is shown with its
/// error.
///
/// Exit codes: 0 on success, 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON: {"series": [...], "queues": [...]}, with times in RFC 3339 or as dates, and ages in seconds
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
pub struct Status {
    /// Ordered by symbol and interval.
    pub series: Vec<SeriesStatus>,
    /// Ordered by role.
    pub queues: Vec<QueueStatus>,
}

/// A series in the store, or on the watchlist, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SeriesStatus {
    pub symbol: String,
    pub interval: String,
    /// Candles in the table.
    pub rows: i64,
    /// Time of the first candle.
    pub first: Option<String>,
    /// Time of the last candle.
    pub last: Option<String>,
    /// Filled candles.
    pub filled: i64,
    /// Quarantined raw rows.
    pub quarantined: i64,
    /// Seconds since the last candle, by Candlewick's clock.
    pub age_seconds: Option<i64>,
    /// Why the newest version of one of its objects could not be loaded.
    pub error: Option<String>,
}

/// A queue and its dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueStatus {
    /// The role, such as `ingest`, `raw` or `transformed`.
    pub queue: String,
    /// Messages that wait or are delayed; `None` if one of the two queues cannot be read.
    pub waiting: Option<u64>,
    /// Messages that a consumer has received and not settled.
    pub in_flight: Option<u64>,
    /// Messages in the dead-letter queue.
    pub dead_letters: Option<u64>,
    /// Why one of the two queues cannot be read.
    pub error: Option<String>,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let deployment = place.running().await?;
    let pool = deployment.pool().await?;
    let status = Status {
        series: all_series(&pool, &deployment.aws, &deployment.env).await?,
        queues: queue_statuses(&deployment.aws, &deployment.env).await,
    };
    if args.json {
        terminal::json(&status)?;
    } else {
        terminal::result(&format!("{}\n\n{}", series_table(&status.series), queue_table(&status.queues)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads every series of the store and of the watchlist.
pub async fn all_series(pool: &PgPool, aws: &Aws, env: &Env) -> anyhow::Result<Vec<SeriesStatus>> {
    let now = env.clock()?.at(Timestamp::now());
    let mut all: BTreeMap<Series, SeriesStatus> = BTreeMap::new();
    for stored in series::all(pool).await.context("read the series")? {
        let series = stored.newest.series()?;
        all.insert(series.clone(), SeriesStatus::of(&series, stored, now));
    }
    for series in watchlist(aws, env).await?.iter().flat_map(|watchlist| watchlist.series()) {
        all.entry(series.clone()).or_insert_with(|| SeriesStatus::of(&series, StoredSeries::default(), now));
    }
    Ok(all.into_values().collect())
}

/// Reads the watchlist, if WATCHLIST is set.
pub async fn watchlist(aws: &Aws, env: &Env) -> anyhow::Result<Option<Arc<Watchlist>>> {
    let Some(location) = env.optional("WATCHLIST") else { return Ok(None) };
    let location = location.parse().context("read WATCHLIST")?;
    let source = WatchlistSource::new(location, |bucket| aws.store(bucket), Arc::new(LogNotifier));
    Ok(Some(source.read().await?))
}

impl SeriesStatus {
    fn of(series: &Series, stored: StoredSeries, now: Timestamp) -> Self {
        let shown = |time: DbTime| CandleTime::from_seconds(time.0.as_second()).display(series.interval).to_string();
        Self {
            symbol: series.symbol.to_string(),
            interval: series.interval.to_string(),
            rows: stored.candles,
            first: stored.first.map(shown),
            last: stored.newest.last.map(shown),
            filled: stored.filled,
            quarantined: stored.quarantined,
            age_seconds: stored.newest.last.map(|last| now.as_second() - last.0.as_second()),
            error: stored.error,
        }
    }
}

/// Counts the messages and the dead letters of the services' queues. Fails if one of them cannot be read.
pub async fn messages(aws: &Aws, env: &Env) -> anyhow::Result<(u64, u64)> {
    let mut messages = 0;
    let mut letters = 0;
    for role in queues::roles_of_services() {
        let depth = queues::depth(aws, env, role).await?;
        messages += depth.waiting + depth.in_flight;
        letters += depth.dead_letters;
    }
    Ok((messages, letters))
}

/// How many dead letters there are, of all queues.
pub async fn dead_letters(aws: &Aws, env: &Env) -> anyhow::Result<u64> {
    let mut sum = 0;
    for role in queues::roles() {
        sum += queues::dead_letters(aws, env, role).await?;
    }
    Ok(sum)
}

/// The dead letters of all queues, which stay there.
pub async fn letters(aws: &Aws, env: &Env) -> anyhow::Result<Vec<DeadLetter>> {
    dead_letters::browse(aws, env, queues::roles(), MOST_LETTERS).await
}

async fn queue_statuses(aws: &Aws, env: &Env) -> Vec<QueueStatus> {
    let mut all = Vec::new();
    for role in queues::roles() {
        all.push(QueueStatus::of(role, queues::depth(aws, env, role).await));
    }
    all
}

impl QueueStatus {
    fn of(role: &str, depth: anyhow::Result<QueueDepth>) -> Self {
        let (depth, error) = match depth {
            Ok(depth) => (Some(depth), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        Self {
            queue: role.to_owned(),
            waiting: depth.as_ref().map(|depth| depth.waiting),
            in_flight: depth.as_ref().map(|depth| depth.in_flight),
            dead_letters: depth.as_ref().map(|depth| depth.dead_letters),
            error,
        }
    }
}

/// A table with one row per series.
pub fn series_table(rows: &[SeriesStatus]) -> String {
    let header = ["symbol", "interval", "rows", "first", "last", "filled", "quarantined", "age"];
    let cells = |row: &SeriesStatus| {
        [
            row.symbol.clone(),
            row.interval.clone(),
            row.rows.to_string(),
            table::or_dash(row.first.as_ref()),
            table::or_dash(row.last.as_ref()),
            row.filled.to_string(),
            row.quarantined.to_string(),
            table::or_dash(row.age_seconds.map(span)),
        ]
    };
    table::of(&header, rows.iter().map(cells), &[2, 5, 6, 7])
}

/// A table with one row per queue.
fn queue_table(rows: &[QueueStatus]) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let cells =
        |row: &QueueStatus| [row.queue.clone(), number(row.waiting), number(row.in_flight), number(row.dead_letters)];
    let text = table::of(&["queue", "waiting", "in flight", "dead letters"], rows.iter().map(cells), &[1, 2, 3]);
    let errors = rows.iter().filter_map(|row| Some(format!("\n{}: {}", row.queue, row.error.as_ref()?)));
    text + &errors.collect::<String>()
}
