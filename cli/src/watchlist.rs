//! `candlewick watchlist`: checks, lists and edits the watchlist.

mod check;
mod edit;
mod estimate;
mod list;
mod text;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use candlewick_shared::adapters::calendar_files;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::{Location, Watchlist};
use clap::Subcommand;

use self::text::Text;
use crate::place::Place;
use crate::terminal;

/// Checks the watchlist, lists it, and adds or removes symbols.
///
/// An edit keeps comments and order, is checked before it is written, and takes effect at the next refresh, without a
/// restart. Needs only the watchlist, and AWS access if it is an object in S3.
///
/// Exit codes: 0 on success, 1 after an error, also if the watchlist is invalid.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The watchlist: a path or s3://BUCKET/KEY [default: the one that `up` uses, or watchlist.toml next to Cargo.toml]
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

/// Adds symbols to the end of a group.
///
/// Fails without writing if a symbol is already in a group, or if the result would not be a valid watchlist. A list in
/// S3 is written only if nobody changed it meanwhile.
#[derive(Debug, clap::Args)]
struct Add {
    /// Symbols such as AAPL, BRK.B, BTC/USD or SBIN:NSE
    #[arg(required = true)]
    symbols: Vec<Symbol>,
    /// The group, which is created if it does not exist [default: the only group of the list]
    #[arg(long)]
    group: Option<String>,
}

/// Removes symbols from the list, with their own settings and comments.
///
/// Candles that were already loaded stay in the store. Fails without writing if a symbol is not on the list.
#[derive(Debug, clap::Args)]
struct Remove {
    /// Symbols that are on the list
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
        Action::Check(args) => check::run(&watchlist(&text).await?, &text.location, &args),
        Action::List(args) => list::run(&watchlist(&text).await?, &args),
    }
}

fn location(place: &Place, named: Option<Location>) -> anyhow::Result<Location> {
    if let Some(named) = named {
        return Ok(named);
    }
    match place.written_settings()?.and_then(|settings| settings.get("WATCHLIST").cloned()) {
        Some(location) => location.parse().context("read WATCHLIST"),
        None => Ok(Location::File(place.root.join("watchlist.toml"))),
    }
}

async fn watchlist(text: &Text) -> anyhow::Result<Watchlist> {
    let calendars = text.calendars().await?;
    Watchlist::parse(&text.content, calendars).with_context(|| format!("read the watchlist {}", text.location))
}

/// The watchlist in a file, with the owner's calendars next to it.
pub async fn of_file(path: &Path) -> anyhow::Result<Watchlist> {
    let reading = || format!("read the watchlist {}", path.display());
    let text = std::fs::read_to_string(path).with_context(reading)?;
    let calendars = calendar_files::read(&Location::File(path.to_owned()), None, None).await?.calendars?;
    Watchlist::parse(&text, calendars).with_context(reading)
}

/// Writes an edited text, if it is a valid watchlist.
async fn change(text: Text, edited: String, what: &str) -> anyhow::Result<ExitCode> {
    let watchlist = Watchlist::parse(&edited, text.calendars().await?)
        .with_context(|| format!("edit {}: the result would not be a valid watchlist", text.location))?;
    let symbols = watchlist.instruments().count();
    let location = text.location.clone();
    text.replace(edited).await?;
    terminal::result(&format!("{what}: {location} now has {symbols} symbols"));
    Ok(ExitCode::SUCCESS)
}

fn names(symbols: &[Symbol]) -> String {
    symbols.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
