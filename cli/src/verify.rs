//! `candlewick verify`: holds the table of candles against the clean objects that it was made from.

mod compare;
mod objects;
mod series;
mod table;
mod union;

use std::collections::BTreeSet;
use std::process::ExitCode;

use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::core::topology::Topology;
use serde::Serialize;
use sqlx::PgPool;

use self::compare::Difference;
use self::objects::Group;
use crate::place::Place;
use crate::selection::Selection;
use crate::terminal;

/// How often a series that differs is looked at before it is told: it may have been loaded meanwhile.
const LOOKS: u32 = 2;

/// Rebuilds each series from its clean objects, beside the live table, and compares the two candle by candle.
///
/// Where several objects claim a candle the newest has it, as in the table. Nothing is written and nothing locked. A series
/// at a time is held against the stream of its rows, and no more of it is in memory than objects that overlap. What is
/// being loaded right now may differ for a moment.
///
/// Exit code: 0 when the table is the union of transformed/, 1 when anything differs, 2 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// How many differences are shown; all of them are counted
    #[arg(long, value_name = "DIFFERENCES", default_value_t = 100)]
    limit: usize,
    /// Print JSON: {"series", "candles", "differences": count, "shown": [{"symbol", "interval", "time", "kind", "column",
    /// "expected", "found", "object"}]}; a kind is missing, extra, differs, owner or unreadable
    #[arg(long)]
    json: bool,
}

/// What was compared, and what differs.
#[derive(Debug, Default, Serialize)]
pub struct Verified {
    /// How many series were compared.
    series: u64,
    /// How many candles the objects have.
    candles: u64,
    /// How many differences there are.
    differences: u64,
    /// The first of them.
    shown: Vec<Difference>,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let running = place.running().await?;
    let verifier = Verifier {
        store: running.aws.store(running.env.bucket()?),
        pool: running.pool().await?,
        selection: args.selection,
        limit: args.limit,
    };
    let verified = verifier.verify().await?;
    if args.json {
        terminal::json(&verified)?;
    } else {
        terminal::result(&verified.told());
    }
    Ok(if verified.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Verifier {
    store: S3Store,
    pool: PgPool,
    selection: Selection,
    limit: usize,
}

impl Verifier {
    /// Every series that has objects, and then those that have rows alone.
    async fn verify(&self) -> anyhow::Result<Verified> {
        let mut verified = Verified::default();
        let mut seen = BTreeSet::new();
        for folder in self.selection.folders() {
            let prefix = format!("{}{folder}", Topology::built_in().prefixes.transformed);
            let mut groups = objects::Groups::new(self.store.listing(&prefix));
            while let Some(group) = groups.next().await? {
                self.add(&mut verified, &group).await?;
                seen.insert((group.symbol, group.interval));
            }
        }
        for (symbol, interval) in table::series(&self.pool).await? {
            if self.selection.has(&symbol, &interval) && !seen.contains(&(symbol.clone(), interval.clone())) {
                self.add(&mut verified, &Group { symbol, interval, keys: Vec::new() }).await?;
            }
        }
        Ok(verified)
    }

    async fn add(&self, verified: &mut Verified, group: &Group) -> anyhow::Result<()> {
        let mut found = self.look(group).await?;
        for _ in 1..LOOKS {
            if found.differences == 0 {
                break;
            }
            found = self.look(group).await?;
        }
        verified.series += 1;
        verified.candles += found.candles;
        verified.differences += found.differences;
        let room = self.limit.saturating_sub(verified.shown.len());
        verified.shown.extend(found.shown.into_iter().take(room));
        Ok(())
    }

    async fn look(&self, group: &Group) -> anyhow::Result<series::Found> {
        series::compare(&self.store, &self.pool, group, self.limit).await
    }
}

impl Verified {
    fn told(&self) -> String {
        let lines: String = self.shown.iter().map(|difference| format!("{difference}\n")).collect();
        let more = self.differences.saturating_sub(self.shown.len() as u64);
        let more = if more > 0 { format!("and {more} more differences\n") } else { String::new() };
        let end = if self.differences == 0 {
            "the table is the union of the clean objects".to_owned()
        } else {
            let mend =
                "`candlewick reconcile` sends what was never loaded; `candlewick replay` has objects loaded again";
            format!("{} differences; {mend}", self.differences)
        };
        format!("{lines}{more}{} series with {} candles compared: {end}", self.series, self.candles)
    }
}
