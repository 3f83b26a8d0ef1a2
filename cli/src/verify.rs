//! `candlewick verify`: compares the table of candles with the transformed objects.

mod columns;
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
use self::objects::SeriesObjects;
use self::series::Comparison;
use crate::place::Place;
use crate::selection::Selection;
use crate::terminal;

/// How often a series is compared before its differences are reported: a load may have been in progress.
const ATTEMPTS: u32 = 2;

/// Rebuilds each series from its transformed objects and compares it with the table, candle by candle.
///
/// It also compares the Parquet that was written with a transformed object. If several objects claim a candle, the
/// newest one owns it, as in the table. Verify writes nothing and locks nothing.
/// It compares one series at a time, and only objects that overlap are in memory together. A series that is being
/// loaded may differ for a moment; it is compared again before it is reported.
///
/// Needs the bucket and the database.
///
/// Exit codes: 0 if the table is the union of transformed/ and columnar/ has its candles, 1 if anything differs, 2 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// The most differences to show; all of them are counted
    #[arg(long, value_name = "DIFFERENCES", default_value_t = 100)]
    limit: usize,
    /// Print JSON: {"series", "candles", "differences": count, "shown": [{"symbol", "interval", "time", "kind",
    /// "column", "expected", "found", "object"}]}; kind is missing, extra, differs, owner, unreadable or
    /// columns
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct Verified {
    /// Series compared.
    series: u64,
    /// Candles in the objects.
    candles: u64,
    /// All differences.
    differences: u64,
    /// The first differences, up to the limit.
    shown: Vec<Difference>,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let deployment = place.running().await?;
    let verifier = Verifier {
        store: deployment.aws.store(deployment.env.bucket()?),
        pool: deployment.pool().await?,
        selection: args.selection,
        limit: args.limit,
    };
    let verified = verifier.verify().await?;
    if args.json {
        terminal::json(&verified)?;
    } else {
        terminal::result(&verified.summary());
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
    /// Compares every series that has objects, and then those that have only rows.
    async fn verify(&self) -> anyhow::Result<Verified> {
        let mut verified = Verified::default();
        let mut compared = BTreeSet::new();
        for folder in self.selection.folders() {
            let prefix = format!("{}{folder}", Topology::built_in().prefixes.transformed);
            let mut groups = objects::Groups::new(self.store.listing(&prefix));
            while let Some(group) = groups.next().await? {
                self.add(&mut verified, &group).await?;
                compared.insert((group.symbol, group.interval));
            }
        }
        for (symbol, interval) in table::series(&self.pool).await? {
            if self.selection.matches(&symbol, &interval) && !compared.contains(&(symbol.clone(), interval.clone())) {
                self.add(&mut verified, &SeriesObjects { symbol, interval, keys: Vec::new() }).await?;
            }
        }
        Ok(verified)
    }

    async fn add(&self, verified: &mut Verified, group: &SeriesObjects) -> anyhow::Result<()> {
        let mut comparison = self.compare(group).await?;
        for _ in 1..ATTEMPTS {
            if comparison.differences == 0 {
                break;
            }
            comparison = self.compare(group).await?;
        }
        verified.series += 1;
        verified.candles += comparison.candles;
        verified.differences += comparison.differences;
        let room = self.limit.saturating_sub(verified.shown.len());
        verified.shown.extend(comparison.shown.into_iter().take(room));
        Ok(())
    }

    async fn compare(&self, group: &SeriesObjects) -> anyhow::Result<Comparison> {
        series::compare(&self.store, &self.pool, group, self.limit).await
    }
}

impl Verified {
    fn summary(&self) -> String {
        let lines: String = self.shown.iter().map(|difference| format!("{difference}\n")).collect();
        let more = self.differences.saturating_sub(self.shown.len() as u64);
        let more = if more > 0 { format!("and {more} more differences\n") } else { String::new() };
        let end = if self.differences == 0 {
            "the table is the union of the transformed objects".to_owned()
        } else {
            let fix = "`candlewick reconcile` loads objects that were never loaded; `candlewick replay` loads objects again, and \
                 writes columnar/ again from raw/";
            format!("{} differences; {fix}", self.differences)
        };
        format!("{lines}{more}{} series with {} candles compared: {end}", self.series, self.candles)
    }
}
