//! `candlewick refresh`: fetches now.

use std::process::ExitCode;

use anyhow::{Context, bail};
use candlewick_ingest::refresh;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::tracing_ids::new_run;
use jiff::Timestamp;

use crate::place::Place;
use crate::{status, terminal};

/// Fetches the watchlist now, or the symbols named, without waiting for the schedule.
///
/// It sends a message for each series and returns; `candlewick status` shows what becomes of them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Symbols of the watchlist, such as AAPL or BTC/USD [default: all]
    symbols: Vec<Symbol>,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let running = place.running().await?;
    let watchlist = status::watchlist(&running.env)?.context("find the watchlist: WATCHLIST is not set")?;
    let series = match refresh::chosen(&watchlist, &args.symbols) {
        Ok(series) => series,
        Err(symbol) => {
            bail!("{symbol} is not on the watchlist: add it to a group in {}", running.env.required("WATCHLIST")?)
        }
    };
    let count = series.len();
    let run = send(&running.aws, &running.env, series).await?;
    terminal::result(&format!("run {run}: {count} series asked for; `cargo run -- status` shows what becomes of them"));
    Ok(ExitCode::SUCCESS)
}

/// Asks for series, and returns the run's name.
pub async fn send(aws: &Aws, env: &Env, series: Vec<Series>) -> anyhow::Result<String> {
    let run = new_run(env.clock()?.at(Timestamp::now()));
    let messages = refresh::messages(series, &run);
    let bodies: Result<Vec<_>, _> = messages.iter().map(serde_json::to_string).collect();
    let bodies = bodies.context("write messages")?.into_iter();
    let messages: Vec<_> = bodies.map(|body| NewMessage { body, ..NewMessage::default() }).collect();
    aws.queue(env.queue_url("ingest")?).send(&messages).await?;
    Ok(run)
}
