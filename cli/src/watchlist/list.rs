//! `candlewick watchlist list`: lists the symbols and their settings.

use std::process::ExitCode;

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::watchlist::Watchlist;
use serde::Serialize;

use crate::{table, terminal};

/// Lists the symbols, each with its group, intervals and history.
///
/// Exit codes: 0 on success, 1 after an error, also if the watchlist is invalid.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON: [{"symbol", "group", "intervals", "history"}]
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
pub struct Listed {
    pub symbol: String,
    pub group: String,
    pub intervals: Vec<Interval>,
    /// Such as `5 years` or `since 2015-01-01`.
    pub history: String,
}

pub fn run(watchlist: &Watchlist, args: &Args) -> anyhow::Result<ExitCode> {
    let listed: Vec<_> = watchlist
        .instruments()
        .map(|(symbol, instrument)| Listed {
            symbol: symbol.to_string(),
            group: instrument.group.clone(),
            intervals: instrument.intervals.clone(),
            history: instrument.history.to_string(),
        })
        .collect();
    if args.json {
        terminal::json(&listed)?;
    } else {
        terminal::result(&instrument_table(&listed));
    }
    Ok(ExitCode::SUCCESS)
}

/// A table with one row per instrument.
fn instrument_table(rows: &[Listed]) -> String {
    let cells = |row: &Listed| {
        let intervals: Vec<_> = row.intervals.iter().map(ToString::to_string).collect();
        [row.symbol.clone(), row.group.clone(), intervals.join(" "), row.history.clone()]
    };
    table::of(&["symbol", "group", "intervals", "history"], rows.iter().map(cells), &[])
}
