//! `candlewick watchlist`: looks at the watchlist, and edits it.

mod check;
mod edit;
mod estimate;
mod list;
mod text;

use std::process::ExitCode;

use anyhow::Context;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::{Location, Watchlist};
use clap::Subcommand;

use self::text::Text;
use crate::place::Place;
use crate::terminal;

/// Checks the watchlist, lists it, and adds or removes symbols.
///
/// An edit keeps comments and order, is checked before it is written, and takes effect at the next refresh, with no restart.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The watchlist, a path or s3://BUCKET/KEY [default: that of the running `up`, or watchlist.toml beside Cargo.toml]
    #[arg(long, value_name = "PLACE", env = "WATCHLIST", global = true)]
    watchlist: Option<Location>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Add),
    Check(check::Args),
    List(list::Args),
    Remove(Remove),
}

/// Adds symbols to a group
#[derive(Debug, clap::Args)]
struct Add {
    /// The symbols, such as AAPL, BRK.B, BTC/USD or SBIN:NSE
    #[arg(required = true)]
    symbols: Vec<Symbol>,
    /// The group; a new one is made [default: the only group there is]
    #[arg(long)]
    group: Option<String>,
}

/// Takes symbols off the list, with the settings of their own; what was loaded of them stays
#[derive(Debug, clap::Args)]
struct Remove {
    /// The symbols
    #[arg(required = true)]
    symbols: Vec<Symbol>,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let location = location(place, args.watchlist)?;
    let text = text::read(place, location).await?;
    match args.action {
        Action::Add(add) => {
            let edited = edit::add(&text.content, &add.symbols, add.group.as_deref())?;
            change(text, edited, &format!("added {}", names(&add.symbols))).await
        }
        Action::Remove(remove) => {
            let edited = edit::remove(&text.content, &remove.symbols)?;
            change(text, edited, &format!("removed {}", names(&remove.symbols))).await
        }
        Action::Check(args) => check::run(&watchlist(&text)?, &text.location, &args),
        Action::List(args) => list::run(&watchlist(&text)?, &args),
    }
}

fn location(place: &Place, named: Option<Location>) -> anyhow::Result<Location> {
    if let Some(named) = named {
        return Ok(named);
    }
    match place.written()?.and_then(|settings| settings.get("WATCHLIST").cloned()) {
        Some(location) => location.parse().context("read WATCHLIST"),
        None => Ok(Location::File(place.root.join("watchlist.toml"))),
    }
}

fn watchlist(text: &Text) -> anyhow::Result<Watchlist> {
    text.content.parse().with_context(|| format!("read the watchlist {}", text.location))
}

/// Writes an edit, if what it makes is a watchlist.
async fn change(text: Text, edited: String, what: &str) -> anyhow::Result<ExitCode> {
    let watchlist: Watchlist =
        edited.parse().with_context(|| format!("edit {}: it would be no watchlist any more", text.location))?;
    let symbols = watchlist.instruments().count();
    let location = text.location.clone();
    text.replace(edited).await?;
    terminal::result(&format!("{what}: {location} has {symbols} symbols now"));
    Ok(ExitCode::SUCCESS)
}

fn names(symbols: &[Symbol]) -> String {
    symbols.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
