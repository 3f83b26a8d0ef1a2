//! `candlewick refresh`: requests a refresh now.

use std::process::ExitCode;

use anyhow::{Context, bail};
use candlewick_ingest::refresh::page;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::ingest_message::{IngestMessage, Refresh};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::run::RunId;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::tracing_ids::new_run;
use jiff::{SignedDuration, Timestamp};

use crate::place::Place;
use crate::{status, terminal, wait};

/// Fetches the watchlist now, or the symbols named, without waiting for the schedule.
///
/// It sends one message and returns; ingest then fetches the series. `candlewick runs` shows the progress of the run. Needs
/// the ingest queue and the watchlist at WATCHLIST, and with --wait the database.
///
/// Exit codes: 0 if the message was sent, 1 after an error or if a symbol is not on the watchlist. With --wait: 0 if every
/// series is loaded or had nothing new, 1 if one failed, 2 if --timeout is over.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Symbols on the watchlist, such as AAPL or BTC/USD; at most 1000 [default: all]
    symbols: Vec<Symbol>,
    /// Replace everything that is stored with what the source has now
    ///
    /// Candles that the source no longer has are removed. Use it to accept the new data after an alert history_shrank
    /// or other_instrument. Symbols must be named.
    #[arg(long, requires = "symbols")]
    replace: bool,
    /// Fetch only this interval, such as 1day; repeat it for several [default: all]
    #[arg(long, value_name = "INTERVAL")]
    interval: Vec<Interval>,
    /// The name of the run: the same name twice is one run, and spends no second credit [default: a new one]
    #[arg(long, value_name = "NAME")]
    run: Option<RunId>,
    /// Wait until every series is loaded or has failed, and show the progress
    #[arg(long)]
    wait: bool,
    /// How long to wait, such as 90s or 30m [default: until the run ends]
    #[arg(long, value_name = "TIME", requires = "wait")]
    timeout: Option<SignedDuration>,
}

/// The most symbols that can be named, because every message of the run contains all of them.
const MOST_NAMED: usize = 1000;

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let deployment = place.running().await?;
    let watchlist = status::watchlist(&deployment.aws, &deployment.env).await?;
    let watchlist = watchlist.context("WATCHLIST is not set: set it to the watchlist's path or its s3:// address")?;
    if args.symbols.len() > MOST_NAMED {
        bail!(
            "{} symbols are named, and at most {MOST_NAMED} are allowed: refresh all symbols, or run several refreshes",
            args.symbols.len()
        );
    }
    let refresh = Refresh {
        run: args.run.map(String::from),
        symbols: args.symbols,
        intervals: args.interval,
        replace: args.replace,
        ..Refresh::default()
    };
    let count = match page::page(&watchlist, &refresh, usize::MAX) {
        Ok(page) => page.series.len(),
        Err(symbol) => {
            bail!("{symbol} is not on the watchlist: add it to a group in {}", deployment.env.required("WATCHLIST")?)
        }
    };
    let pool = if args.wait { Some(deployment.pool().await?) } else { None };
    let run = send(&deployment.aws, &deployment.env, refresh).await?;
    terminal::result(&format!("run {run}: requested {count} series; `cargo run -- runs` shows their progress"));
    let Some(pool) = pool else { return Ok(ExitCode::SUCCESS) };
    let ended = wait::until_ended(&pool, &run, args.timeout).await?;
    wait::tell(&pool, &run, ended.as_ref()).await?;
    Ok(wait::exit_code(ended.as_ref()))
}

/// Sends a refresh message to ingest. Returns the name of the run.
pub async fn send(aws: &Aws, env: &Env, refresh: Refresh) -> anyhow::Result<String> {
    let run = refresh.run.clone().unwrap_or(new_run(env.clock()?.at(Timestamp::now())));
    let message = IngestMessage::Refresh(Refresh { run: Some(run.clone()), ..refresh });
    let body = serde_json::to_string(&message).context("write a message")?;
    aws.queue(env.queue_url("ingest")?).send(&[NewMessage { body, ..NewMessage::default() }]).await?;
    Ok(run)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn what_replaces_names_the_symbols_that_it_is_meant_for() {
        let replaces = |line: &[&str]| Command::try_parse_from(line).map(|command| command.args.replace);
        assert!(replaces(&["refresh", "BTC/USD", "--replace"]).is_ok_and(|replace| replace));
        assert!(replaces(&["refresh", "AAPL"]).is_ok_and(|replace| !replace));
        assert!(replaces(&["refresh", "--replace"]).is_err());
    }

    #[test]
    fn a_run_is_waited_for_as_long_as_is_said() {
        let args = |line: &[&str]| Command::try_parse_from(line).map(|command| command.args);
        let waits = args(&["refresh", "--wait", "--timeout", "30m", "--interval", "1day", "--run", "a:b"]).unwrap();
        assert_eq!((waits.timeout, waits.interval.len()), (Some(SignedDuration::from_mins(30)), 1));
        assert!(args(&["refresh", "--timeout", "30m"]).is_err(), "nothing is waited for");
        assert!(args(&["refresh", "--run", "a b"]).is_err() && args(&["refresh", "--interval", "2min"]).is_err());
    }
}
