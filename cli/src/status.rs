//! `candlewick status`: what is in the store, and what waits.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::runtime::env::Env;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{PgPool, Row};

use crate::place::Place;
use crate::{table, terminal};

/// Shows each series (rows, first and last candle, filled, quarantined, the age of the last) and the depth of each queue.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON: {"series": [...], "queues": [...]}, times in RFC 3339 or as dates, ages in seconds
    #[arg(long)]
    json: bool,
}

/// What `status` shows.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The series, by symbol and interval.
    pub series: Vec<SeriesStatus>,
    /// The queues, by their role.
    pub queues: Vec<QueueStatus>,
}

/// A series in the store, or on the watchlist, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeriesStatus {
    /// Its symbol.
    pub symbol: String,
    /// Its interval.
    pub interval: String,
    /// Its candles.
    pub rows: i64,
    /// The time of its first candle.
    pub first: Option<String>,
    /// The time of its last candle.
    pub last: Option<String>,
    /// How many of its candles cleaning put in.
    pub filled: i64,
    /// How many raw rows cleaning set aside.
    pub quarantined: i64,
    /// Seconds since its last candle, by Candlewick's clock.
    pub age_seconds: Option<i64>,
    /// Why the newest version of one of its objects could not be loaded, where it could not.
    pub error: Option<String>,
}

/// A queue and its dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueStatus {
    /// Its role: `ingest`, `raw`, `transformed`.
    pub queue: String,
    /// Messages that wait; none where the queue does not say.
    pub waiting: Option<u64>,
    /// Messages that somebody has in hand.
    pub in_flight: Option<u64>,
    /// Messages that can never be settled.
    pub dead_letters: Option<u64>,
    /// Why one of the two queues does not say: it is missing, perhaps.
    pub error: Option<String>,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let running = place.running().await?;
    let pool = running.pool().await?;
    let status = Status {
        series: series(&pool, &running.aws, &running.env).await?,
        queues: queues(&running.aws, &running.env).await?,
    };
    if args.json {
        terminal::json(&status)?;
    } else {
        terminal::result(&format!("{}\n\n{}", table::series(&status.series), table::queues(&status.queues)));
    }
    Ok(ExitCode::SUCCESS)
}

const SERIES: &str = "with counted as (
        select symbol, interval, count(*) as candles, min(time) as first, max(time) as last,
               count(*) filter (where is_filled) as filled
        from candles group by symbol, interval),
    known as (
        select o.symbol, o.interval, coalesce(sum(q.quarantined), 0)::bigint as quarantined, max(o.error) as error
        from objects o left join quality q on q.object_id = o.id group by o.symbol, o.interval)
    select symbol, interval, coalesce(candles, 0), extract(epoch from first)::bigint, extract(epoch from last)::bigint,
           coalesce(filled, 0), quarantined, error
    from known left join counted using (symbol, interval)";

/// Every series of the store and of the watchlist.
pub async fn series(pool: &PgPool, aws: &Aws, env: &Env) -> anyhow::Result<Vec<SeriesStatus>> {
    let now = env.clock()?.at(Timestamp::now());
    let rows = sqlx::query(SERIES).fetch_all(pool).await.context("read the series")?;
    let mut all: BTreeMap<(String, String), SeriesStatus> = BTreeMap::new();
    for row in rows {
        let status = read(&row, now)?;
        all.insert((status.symbol.clone(), status.interval.clone()), status);
    }
    for series in watchlist(aws, env).await?.iter().flat_map(|watchlist| watchlist.series()) {
        let (symbol, interval) = (series.symbol.to_string(), series.interval.to_string());
        all.entry((symbol.clone(), interval.clone())).or_insert_with(|| SeriesStatus::nothing(symbol, interval));
    }
    Ok(all.into_values().collect())
}

/// The watchlist, where the settings name one.
pub async fn watchlist(aws: &Aws, env: &Env) -> anyhow::Result<Option<Arc<Watchlist>>> {
    let Some(location) = env.optional("WATCHLIST") else { return Ok(None) };
    let location = location.parse().context("read WATCHLIST")?;
    let source = WatchlistSource::new(location, |bucket| aws.store(bucket), Arc::new(LogNotifier));
    Ok(Some(source.read().await?))
}

fn read(row: &sqlx::postgres::PgRow, now: Timestamp) -> anyhow::Result<SeriesStatus> {
    let interval: Interval = row.try_get::<String, _>(1)?.parse()?;
    let time = |seconds: i64| CandleTime::from_seconds(seconds).display(interval).to_string();
    let (first, last): (Option<i64>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
    Ok(SeriesStatus {
        symbol: row.try_get(0)?,
        interval: interval.to_string(),
        rows: row.try_get(2)?,
        first: first.map(time),
        last: last.map(time),
        filled: row.try_get(5)?,
        quarantined: row.try_get(6)?,
        age_seconds: last.map(|last| now.as_second() - last),
        error: row.try_get(7)?,
    })
}

impl SeriesStatus {
    fn nothing(symbol: String, interval: String) -> Self {
        let (first, last, age_seconds, error) = (None, None, None, None);
        Self { symbol, interval, rows: 0, first, last, filled: 0, quarantined: 0, age_seconds, error }
    }
}

/// How many messages all queues and all dead-letter queues have. Each must say so.
pub async fn messages(aws: &Aws, env: &Env) -> anyhow::Result<(u64, u64)> {
    let all = queues(aws, env).await?;
    if let Some(error) = all.iter().find_map(|queue| queue.error.as_ref()) {
        bail!("{error}");
    }
    let sum = |numbers: fn(&QueueStatus) -> [Option<u64>; 2]| all.iter().flat_map(numbers).flatten().sum();
    Ok((sum(|queue| [queue.waiting, queue.in_flight]), sum(|queue| [queue.dead_letters, None])))
}

/// How many dead letters there are, of all queues.
pub async fn dead_letters(aws: &Aws, env: &Env) -> anyhow::Result<u64> {
    let topology = Topology::built_in();
    let mut sum = 0;
    for role in topology.queues.keys() {
        let depth = aws.queue(&topology.dead_letter_name(env.queue_url(role)?)).depth().await?;
        sum += depth.waiting + depth.in_flight;
    }
    Ok(sum)
}

/// Every queue, with its dead-letter queue.
pub async fn queues(aws: &Aws, env: &Env) -> anyhow::Result<Vec<QueueStatus>> {
    let topology = Topology::built_in();
    let mut all = Vec::new();
    for role in topology.queues.keys() {
        let url = env.queue_url(role)?;
        let depth = aws.queue(url).depth().await;
        let dead_letters = aws.queue(&topology.dead_letter_name(url)).depth().await;
        let error = depth.as_ref().err().or(dead_letters.as_ref().err()).map(ToString::to_string);
        all.push(QueueStatus {
            queue: role.clone(),
            error,
            waiting: depth.as_ref().ok().map(|depth| depth.waiting + depth.delayed),
            in_flight: depth.ok().map(|depth| depth.in_flight),
            dead_letters: dead_letters.ok().map(|depth| depth.waiting + depth.in_flight),
        });
    }
    Ok(all)
}
