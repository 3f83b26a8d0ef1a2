//! `candlewick status`: shows each series and each queue.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::database::SqlTimestamp;
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// Messages that wait or are delayed; `None` if the queue cannot be read.
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
        series: series(&pool, &deployment.aws, &deployment.env).await?,
        queues: queues(&deployment.aws, &deployment.env).await?,
    };
    if args.json {
        terminal::json(&status)?;
    } else {
        terminal::result(&format!("{}\n\n{}", series_table(&status.series), queue_table(&status.queues)));
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
    select symbol, interval, coalesce(candles, 0), first, last,
           coalesce(filled, 0), quarantined, error
    from known left join counted using (symbol, interval)";

/// Reads every series of the store and of the watchlist.
pub async fn series(pool: &PgPool, aws: &Aws, env: &Env) -> anyhow::Result<Vec<SeriesStatus>> {
    let now = env.clock()?.at(Timestamp::now());
    let rows = sqlx::query(SERIES).fetch_all(pool).await.context("read the series")?;
    let mut all: BTreeMap<(String, String), SeriesStatus> = BTreeMap::new();
    for row in rows {
        let status = read(&row, now)?;
        all.insert((status.symbol.clone(), status.interval.clone()), status);
    }
    for series in watchlist(aws, env).await?.iter().flat_map(|watchlist| watchlist.series()) {
        let symbol = series.symbol.to_string();
        let interval = series.interval.to_string();
        all.entry((symbol.clone(), interval.clone())).or_insert_with(|| SeriesStatus::empty(symbol, interval));
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

fn read(row: &sqlx::postgres::PgRow, now: Timestamp) -> anyhow::Result<SeriesStatus> {
    let interval: Interval = row.try_get::<String, _>(1)?.parse()?;
    let seconds = |column: usize| {
        row.try_get::<Option<SqlTimestamp>, _>(column).map(|time| time.map(|time| time.to_jiff().as_second()))
    };
    let shown = |seconds: i64| CandleTime::from_seconds(seconds).display(interval).to_string();
    let first = seconds(3)?;
    let last = seconds(4)?;
    Ok(SeriesStatus {
        symbol: row.try_get(0)?,
        interval: interval.to_string(),
        rows: row.try_get(2)?,
        first: first.map(shown),
        last: last.map(shown),
        filled: row.try_get(5)?,
        quarantined: row.try_get(6)?,
        age_seconds: last.map(|last| now.as_second() - last),
        error: row.try_get(7)?,
    })
}

impl SeriesStatus {
    fn empty(symbol: String, interval: String) -> Self {
        let first = None;
        let last = None;
        let age_seconds = None;
        let error = None;
        Self { symbol, interval, rows: 0, first, last, filled: 0, quarantined: 0, age_seconds, error }
    }
}

/// Counts the messages of all queues and of all dead-letter queues. Fails if one of them cannot be read.
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

/// Reads the depth of every queue and its dead-letter queue.
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

/// A table with one row per series.
pub fn series_table(rows: &[SeriesStatus]) -> String {
    let mut text = table::empty(&["symbol", "interval", "rows", "first", "last", "filled", "quarantined", "age"]);
    for row in rows {
        let or_dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let numbers = [row.rows, row.filled, row.quarantined].map(|number| number.to_string());
        let [count, filled, quarantined] = numbers;
        let age = row.age_seconds.map(table::age);
        text.add_row([
            terminal::cell(&row.symbol),
            row.interval.clone(),
            count,
            or_dash(&row.first),
            or_dash(&row.last),
            filled,
            quarantined,
            or_dash(&age),
        ]);
    }
    table::right_align(&mut text, &[2, 5, 6, 7]);
    text.to_string()
}

/// A table with one row per queue.
fn queue_table(rows: &[QueueStatus]) -> String {
    let mut text = table::empty(&["queue", "waiting", "in flight", "dead letters"]);
    for row in rows {
        let number = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
        let numbers = [row.waiting, row.in_flight, row.dead_letters].map(number);
        text.add_row(std::iter::once(row.queue.clone()).chain(numbers));
    }
    table::right_align(&mut text, &[1, 2, 3]);
    let errors = rows.iter().filter_map(|row| Some(format!("\n{}: {}", row.queue, row.error.as_ref()?)));
    text.to_string() + &errors.collect::<String>()
}
