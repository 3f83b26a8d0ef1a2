//! `candlewick runs`: lists refreshes and their results.

use std::process::ExitCode;

use anyhow::{Context, bail};
use candlewick_shared::core::time_text::span;
use candlewick_shared::reads::runs::{self, RunProgress, UnloadedSeries};
use jiff::SignedDuration;
use serde::Serialize;

use crate::place::Place;
use crate::{table, terminal, wait};

/// Shows the newest runs with their counts, or for one run the series that are not loaded, with the reason.
///
/// A run is one refresh, from its request until its last series is loaded or failed. Needs the database.
///
/// Exit codes: 0 on success, also if series of the run failed; 1 after an error or if there is no such run. With --wait: 0
/// if every series is loaded or had nothing new, 1 if one failed, 2 if --timeout is over.
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
    /// Wait until the run has ended, and show the progress
    #[arg(long, requires = "run")]
    wait: bool,
    /// How long to wait, such as 90s or 30m [default: until the run ends]
    #[arg(long, value_name = "TIME", requires = "wait")]
    timeout: Option<SignedDuration>,
}

/// A run in the JSON of `runs`.
#[derive(Serialize)]
struct Listed<'a> {
    run: &'a str,
    #[serde(flatten)]
    progress: &'a RunProgress,
}

impl<'a> Listed<'a> {
    fn of(progress: &'a RunProgress) -> Self {
        Self { run: &progress.id, progress }
    }
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let pool = place.running().await?.pool().await?;
    let Some(name) = &args.run else {
        list(&runs::newest(&pool, args.most).await.context("read the runs")?, args.json)?;
        return Ok(ExitCode::SUCCESS);
    };
    let ended = if args.wait { wait::until_ended(&pool, name, args.timeout).await? } else { None };
    let Some(run) = runs::one(&pool, name).await.context("read the run")? else {
        bail!("there is no run {name}: `cargo run -- runs` lists the runs")
    };
    let series = runs::unloaded(&pool, name).await.context("read the series of the run")?;
    show(&run, &series, args.json)?;
    Ok(if args.wait { wait::exit_code(ended.as_ref()) } else { ExitCode::SUCCESS })
}

fn list(runs: &[RunProgress], json: bool) -> anyhow::Result<()> {
    if json {
        return terminal::json(&runs.iter().map(Listed::of).collect::<Vec<_>>());
    }
    terminal::result(&run_table(runs));
    Ok(())
}

fn show(run: &RunProgress, series: &[UnloadedSeries], json: bool) -> anyhow::Result<()> {
    if json {
        return terminal::json(&serde_json::json!({"run": Listed::of(run), "series": series}));
    }
    let error = run.error.as_ref().map(|error| format!("\n{error}")).unwrap_or_default();
    terminal::result(&format!("{}{error}\n{}", run_table(std::slice::from_ref(run)), series_table(series)));
    Ok(())
}

/// A table with one row per run.
fn run_table(rows: &[RunProgress]) -> String {
    let header = ["run", "kind", "requested at", "state", "took"];
    let counts = ["expected", "fetched", "loaded", "unchanged", "superseded", "failed"];
    let cells = |row: &RunProgress| {
        let requested_at = row.requested_at.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let took = table::or_dash(row.seconds.map(span));
        let counts = [row.expected, row.fetched, row.loaded, row.unchanged, row.superseded, row.failed];
        let words = [row.id.clone(), row.kind.clone(), requested_at, row.state.clone(), took];
        words.into_iter().chain(counts.map(|count| count.to_string()))
    };
    table::of(&[&header[..], &counts[..]].concat(), rows.iter().map(cells), &[4, 5, 6, 7, 8, 9, 10])
}

/// A table with one row per series of a run that is not loaded.
fn series_table(rows: &[UnloadedSeries]) -> String {
    if rows.is_empty() {
        return "every series is loaded or had nothing new".to_owned();
    }
    let cells = |row: &UnloadedSeries| {
        [row.symbol.clone(), row.interval.clone(), row.state.clone(), table::or_dash(row.reason.as_ref())]
    };
    table::of(&["symbol", "interval", "state", "reason"], rows.iter().map(cells), &[])
}
