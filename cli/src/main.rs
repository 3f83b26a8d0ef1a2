//! `candlewick`: runs all of Candlewick on one machine, and operates it anywhere.

mod alerts;
mod build;
mod clean;
mod consumer;
mod dlq;
mod doctor;
mod down;
mod drop_file;
mod events;
mod export;
mod follow;
mod migrate;
mod moment;
mod place;
mod provision;
mod reconcile;
mod refresh;
mod replay;
mod runs;
mod s3_events;
mod selection;
mod status;
mod table;
mod terminal;
mod up;
mod verify;
mod wait;
mod watch;
mod watchlist;

use std::path::PathBuf;
use std::process::ExitCode;

use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::topology;
use clap::{Parser, Subcommand};

use crate::place::Place;

/// Keeps a store of market candles up to date: fetched from TwelveData, cleaned, and loaded into PostgreSQL.
///
/// `candlewick up` starts everything on this machine: LocalStack (S3, SQS, SNS), PostgreSQL, a simulator of the
/// TwelveData API, and the services. The other commands work on a running deployment. They take its addresses from the
/// environment, and those that are not set there from .local/env, which `up` writes.
///
/// Exit codes: 0 on success, 1 after an error. Some commands use more codes; their help lists them.
#[derive(Debug, Parser)]
#[command(name = "candlewick", version, propagate_version = true)]
struct Cli {
    /// The directory for data, logs and addresses of `up` [default: .local next to Cargo.toml]
    #[arg(long, global = true, value_name = "DIR", env = "CANDLEWICK_STATE")]
    state: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Args),
    Alerts(alerts::Args),
    Clean(clean::Args),
    Consumer(consumer::Args),
    Dlq(dlq::Args),
    Doctor(doctor::Args),
    Down(down::Args),
    Drop(drop_file::Args),
    Events(events::Args),
    Export(export::Args),
    Migrate(migrate::Args),
    Provision(provision::Args),
    Reconcile(reconcile::Args),
    Refresh(refresh::Args),
    Replay(replay::Args),
    Runs(runs::Args),
    Status(status::Args),
    Verify(verify::Args),
    Watchlist(watchlist::Args),
    /// Waits for the `up` that started it to end, and stops whatever that left running.
    #[command(hide = true)]
    Watchdog,
}

fn main() -> ExitCode {
    // Options take defaults from the environment, so .env is loaded before the command line is parsed. No thread runs
    // yet.
    match place::load_settings().and_then(|()| run(Cli::parse())) {
        Ok(code) => terminal::exit_code(code),
        Err(error) => {
            terminal::error(&error);
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let place = Place::find(cli.state)?;
    topology::adopt(&topology_settings(&place, &cli.command)?, None)?;
    match cli.command {
        Command::Up(args) => up::run(&place, args).await,
        Command::Alerts(args) => alerts::run(&place, args).await,
        Command::Clean(args) => Ok(search_code(clean::run(args).await)),
        Command::Consumer(args) => consumer::run(&place, args),
        Command::Dlq(args) => dlq::run(&place, args).await,
        Command::Doctor(args) => Ok(search_code(doctor::run(&place, args).await)),
        Command::Down(args) => down::run(&place, args).await,
        Command::Drop(args) => drop_file::run(&place, args).await,
        Command::Provision(args) => provision::run(&place, args).await,
        Command::Events(args) => events::run(&place, args).await,
        Command::Export(args) => export::run(&place, args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::Reconcile(args) => reconcile::run(&place, args).await,
        Command::Refresh(args) => refresh::run(&place, args).await,
        Command::Replay(args) => replay::run(&place, args).await,
        Command::Runs(args) => runs::run(&place, args).await,
        Command::Status(args) => status::run(&place, args).await,
        Command::Verify(args) => Ok(search_code(verify::run(&place, args).await)),
        Command::Watchlist(args) => watchlist::run(&place, args).await,
        Command::Watchdog => up::watchdog(&place).await,
    }
}

/// Where `TOPOLOGY` is looked up. A deployment that `up` started has its own; these commands do not work on one.
fn topology_settings(place: &Place, command: &Command) -> anyhow::Result<Env> {
    let own = Env::of_process();
    match command {
        Command::Up(_) | Command::Down(_) | Command::Consumer(_) | Command::Watchdog => Ok(own),
        _ => Ok(own.or(Env::from_variables(place.written_settings()?.unwrap_or_default()))),
    }
}

/// Exits with 2 after an error: the commands that search for problems exit with 1 if they found one.
fn search_code(code: anyhow::Result<ExitCode>) -> ExitCode {
    code.unwrap_or_else(|error| {
        terminal::error(&error);
        ExitCode::from(2)
    })
}
