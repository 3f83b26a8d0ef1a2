//! `candlewick refresh`: fetches now.

use std::process::ExitCode;

use anyhow::{Context, bail};
use candlewick_ingest::refresh::page;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::ingest_message::{IngestMessage, Refresh};
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::tracing_ids::new_run;
use jiff::Timestamp;

use crate::place::Place;
use crate::{status, terminal};

/// Fetches the watchlist now, or the symbols named, without waiting for the schedule.
///
/// It sends one message and returns: ingest asks for the series, page by page. `candlewick runs` shows how far the run is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Symbols of the watchlist, such as AAPL or BTC/USD; up to 1000 [default: all]
    symbols: Vec<Symbol>,
    /// Take what the source has now in place of what is kept, whatever it lacks
    ///
    /// Candles that the source does not give any more are removed. It accepts what the alerts history_shrank and
    /// other_instrument are about; the symbols must be named.
    #[arg(long, requires = "symbols")]
    replace: bool,
}

/// How many symbols can be named: they go with every message of the run.
const MOST_NAMED: usize = 1000;

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let running = place.running().await?;
    let watchlist = status::watchlist(&running.aws, &running.env).await?;
    let watchlist = watchlist.context("find the watchlist: WATCHLIST is not set")?;
    if args.symbols.len() > MOST_NAMED {
        bail!("{} symbols are named, and {MOST_NAMED} is the most: refresh all, or in turns", args.symbols.len());
    }
    let asked = Refresh { symbols: args.symbols, replace: args.replace, ..Refresh::default() };
    let count = match page::page(&watchlist, &asked, usize::MAX) {
        Ok(page) => page.series.len(),
        Err(symbol) => {
            bail!("{symbol} is not on the watchlist: add it to a group in {}", running.env.required("WATCHLIST")?)
        }
    };
    let run = send(&running.aws, &running.env, asked).await?;
    terminal::result(&format!("run {run}: {count} series asked for; `cargo run -- runs` shows what becomes of them"));
    Ok(ExitCode::SUCCESS)
}

/// Asks for a refresh, and returns the run's name.
pub async fn send(aws: &Aws, env: &Env, asked: Refresh) -> anyhow::Result<String> {
    let run = asked.run.clone().unwrap_or(new_run(env.clock()?.at(Timestamp::now())));
    let message = IngestMessage::Refresh(Refresh { run: Some(run.clone()), ..asked });
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
}
