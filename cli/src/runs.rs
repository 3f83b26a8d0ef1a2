//! `candlewick runs`: lists refreshes and their results.

use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::Serialize;
use sqlx::{FromRow, PgPool};

use crate::place::Place;
use crate::{table, terminal};

/// Shows the newest runs with their counts, or for one run the series that are not loaded, with the reason.
///
/// A run is one refresh, from its request until its last series is loaded or failed. Needs the database.
///
/// Exit codes: 0 on success, also if series of the run failed; 1 after an error or if there is no such run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of a run [default: list the newest runs]
    run: Option<String>,
    /// The most runs to show
    #[arg(long, default_value_t = 20, value_name = "N")]
    most: u32,
    /// Print JSON: [{"run", "kind", "requested_at", "state", "expected", "fetched", "loaded", "unchanged", ...}], or
    /// for one run {"run": {...}, "series": [{"symbol", "interval", "state", "reason"}]}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, FromRow, Serialize)]
pub struct Run {
    pub run: String,
    /// `scheduled`, `manual` or `catch_up`.
    pub kind: String,
    /// When it was due or requested, by Candlewick's clock.
    pub requested_at: String,
    /// `waiting`, `running`, `ended` or `failed`.
    pub state: String,
    /// Seconds from its start to its end, or to now.
    pub seconds: Option<i64>,
    /// Series that the run is about.
    pub expected: i64,
    /// Series that the source answered.
    pub fetched: i64,
    /// Series whose objects are all loaded.
    pub loaded: i64,
    /// Series for which the source had nothing new.
    pub unchanged: i64,
    /// Series that another run fetched again before they were loaded.
    pub superseded: i64,
    /// Series that were given up.
    pub failed: i64,
    /// Why the run waits or failed.
    pub error: Option<String>,
}

/// A series of a run that is not loaded.
#[derive(Debug, FromRow, Serialize)]
pub struct Open {
    pub symbol: String,
    pub interval: String,
    /// `expected`, `fetched`, `superseded` or `failed`.
    pub state: String,
    pub reason: Option<String>,
}

const RUNS: &str =
    "select p.id as run, p.kind, p.expected, p.fetched, p.loaded, p.unchanged, p.superseded, p.failed, p.error,
        to_char(p.requested_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as requested_at,
        extract(epoch from coalesce(p.ended_at, clock_timestamp() - r.clock_lag) - p.started_at)::bigint as seconds,
        case when p.ended_at is not null and p.is_laid_out then 'ended' when p.ended_at is not null then 'failed'
             when p.started_at is null or p.error is not null then 'waiting' else 'running' end as state
    from run_progress p join runs r on r.id = p.id
    where $1::text is null or p.id = $1 order by p.requested_at desc, p.id desc limit $2";

const OPEN: &str = "select symbol, interval, state, reason from run_series
    where run = $1 and state not in ('loaded', 'unchanged') order by symbol, interval";

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let pool = place.running().await?.pool().await?;
    let runs: Vec<Run> = sqlx::query_as(RUNS)
        .bind(&args.run)
        .bind(i64::from(args.most))
        .fetch_all(&pool)
        .await
        .context("read the runs")?;
    let text = match args.run {
        Some(name) => one(&pool, &name, runs, args.json).await?,
        None if args.json => serde_json::to_string_pretty(&runs).context("write JSON")?,
        None => run_table(&runs),
    };
    terminal::result(&text);
    Ok(ExitCode::SUCCESS)
}

async fn one(pool: &PgPool, name: &str, runs: Vec<Run>, json: bool) -> anyhow::Result<String> {
    let Some(run) = runs.into_iter().next() else {
        bail!("there is no run {name}: `cargo run -- runs` lists the runs")
    };
    let open: Vec<Open> =
        sqlx::query_as(OPEN).bind(name).fetch_all(pool).await.context("read the series of the run")?;
    if json {
        return serde_json::to_string_pretty(&serde_json::json!({"run": run, "series": open})).context("write JSON");
    }
    let error = run.error.as_ref().map(|error| format!("\n{error}")).unwrap_or_default();
    Ok(format!("{}{error}\n{}", run_table(std::slice::from_ref(&run)), open_table(&open)))
}

/// A table with one row per run.
fn run_table(rows: &[Run]) -> String {
    let header = ["run", "kind", "requested at", "state", "took"];
    let counts = ["expected", "fetched", "loaded", "unchanged", "superseded", "failed"];
    let mut text = table::empty(&[&header[..], &counts[..]].concat());
    for row in rows {
        let took = row.seconds.map_or_else(|| "-".to_owned(), table::age);
        let words = [row.run.clone(), row.kind.clone(), row.requested_at.clone(), row.state.clone(), took];
        let counts = [row.expected, row.fetched, row.loaded, row.unchanged, row.superseded, row.failed];
        text.add_row(words.into_iter().chain(counts.map(|count| count.to_string())));
    }
    table::right_align(&mut text, &[4, 5, 6, 7, 8, 9, 10]);
    text.to_string()
}

/// A table with one row per series of a run that is not loaded.
fn open_table(rows: &[Open]) -> String {
    if rows.is_empty() {
        return "every series is loaded or had nothing new".to_owned();
    }
    let mut text = table::empty(&["symbol", "interval", "state", "reason"]);
    for row in rows {
        let reason = row.reason.clone().unwrap_or_else(|| "-".to_owned());
        text.add_row([terminal::cell(&row.symbol), row.interval.clone(), row.state.clone(), terminal::cell(&reason)]);
    }
    text.to_string()
}
