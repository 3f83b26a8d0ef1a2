//! `candlewick export`: writes candles to files of CSV, Parquet or Arrow.

mod encoding;
mod output;
mod progress;
mod rows;
mod target;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgPool;

use self::encoding::Encoding;
use self::output::{Output, Part};
use self::progress::Progress;
use self::rows::Range;
use self::target::{Format, Target};
use crate::clean::is_broken_pipe;
use crate::moment::as_of;
use crate::place::Place;
use crate::terminal;

/// Writes candles from the database to CSV, Parquet or Arrow: one file per series (DIR/1day/AAPL.parquet), one file for
/// all, or stdout.
///
/// The columns are those of clean CSV: symbol, interval, time, open, high, low, close, volume, has_volume, is_filled.
/// In CSV, times are dates for daily and longer candles, and RFC 3339 in UTC for intraday candles; if the volume is
/// unknown, has_volume is false and volume is 0. In Parquet and Arrow, times are timestamps in UTC, prices and volumes
/// are decimal(38, 20), and an unknown volume is null. docs/query.md shows how programs read the files.
///
/// Arrow is an Arrow IPC file, or an Arrow IPC stream on stdout. In one file, the rows are ordered by symbol, interval
/// and time. An existing file is replaced only when the new one is complete.
///
/// Needs the database. Progress goes to stderr if the candles go to one file or to stdout.
///
/// Exit codes: 0 on success, also if the reader of stdout has read enough; 1 after an error or if the database has no
/// such candles.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A symbol, such as AAPL or BTC/USD; can be repeated [default: all in the store]
    #[arg(long)]
    symbol: Vec<Symbol>,
    /// An interval, such as 1day; can be repeated [default: all in the store]
    #[arg(long)]
    interval: Vec<Interval>,
    /// The first day, in UTC, such as 2024-01-01 [default: the first day in the store]
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// The last day, in UTC, inclusive [default: the last day in the store]
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// The candles as they were at this moment, whatever was loaded since: an instant such as 2024-12-30T22:00:00Z, or a
    /// date for its end in UTC
    #[arg(long, value_name = "TIME", value_parser = as_of)]
    as_of: Option<Timestamp>,
    /// The format of the files [default: by the file's name; csv for a folder and stdout]
    #[arg(long)]
    format: Option<Format>,
    /// Where to write: a folder, a file whose name ends in .csv, .parquet or .arrow, or - for stdout
    #[arg(long, value_name = "DIR|FILE|-")]
    out: PathBuf,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(to)) = (args.from, args.to) {
        ensure!(from <= to, "--from {from} is after --to {to}: the range is empty");
    }
    let (target, format) = target::choose(&args.out, args.format)?;
    let pool = place.running().await?.pool().await?;
    let series = chosen(&pool, &args).await?;
    let export = Export { pool, range: Range { from: args.from, to: args.to, as_of: args.as_of }, format };
    match target {
        Target::Stdout => match export.to_stdout(&series).await {
            Err(error) if !is_broken_pipe(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        },
        Target::File(file) => export.to_file(&series, &file, Progress::on_stderr()).await?,
        Target::Folder(folder) => {
            for series in series.chunks(1) {
                let file = folder.join(file_of(&series[0], format));
                export.to_file(series, &file, Progress::silent()).await?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Export {
    pool: PgPool,
    range: Range,
    format: Format,
}

impl Export {
    async fn to_stdout(&self, series: &[Series]) -> anyhow::Result<()> {
        let encoding = Encoding::new(self.format, true, series)?;
        let progress = if series.len() > 1 { Progress::on_stderr() } else { Progress::silent() };
        let output = Output::new(tokio::io::stdout(), encoding, progress);
        output.write_all(&self.pool, series, &self.range).await.map(drop)
    }

    async fn to_file(&self, series: &[Series], file: &Path, progress: Progress) -> anyhow::Result<()> {
        let part = Part::create(file).await?;
        let encoding = Encoding::new(self.format, false, series)?;
        let output = Output::new(part.open().await?, encoding, progress);
        let bytes = output.write_all(&self.pool, series, &self.range).await?;
        part.complete().await?;
        let what = match series {
            [one] => one.to_string(),
            many => format!("{} series", many.len()),
        };
        terminal::result(&format!("{what}: {} ({bytes} bytes)", file.display()));
        Ok(())
    }
}

/// One folder per interval: Data Studio requires that all files of a folder have the same schema.
fn file_of(series: &Series, format: Format) -> PathBuf {
    let file = format!("{}.{}", series.symbol.to_key_form(), format.extension());
    Path::new(series.interval.as_str()).join(file)
}

/// The chosen series of the store in order. Fails if a named symbol has none of them.
async fn chosen(pool: &PgPool, args: &Args) -> anyhow::Result<Vec<Series>> {
    let query = "select distinct symbol, interval from objects where rows_total > 0";
    let rows: Vec<(String, String)> = sqlx::query_as(query).fetch_all(pool).await.context("read the series")?;
    let series = |(symbol, interval): (String, String)| {
        anyhow::Ok(Series { symbol: symbol.parse()?, interval: interval.parse()? })
    };
    let mut chosen: Vec<_> = rows.into_iter().map(series).collect::<Result<_, _>>()?;
    chosen.retain(|series| {
        (args.symbol.is_empty() || args.symbol.contains(&series.symbol))
            && (args.interval.is_empty() || args.interval.contains(&series.interval))
    });
    let is_missing = |symbol: &&Symbol| !chosen.iter().any(|series| series.symbol == **symbol);
    if let Some(symbol) = args.symbol.iter().find(is_missing) {
        bail!("the store has no such candles of {symbol}: `candlewick status` shows what it has");
    }
    ensure!(!chosen.is_empty(), "the store has no such candles: `candlewick status` shows what it has");
    chosen.sort_by_key(|series| (series.symbol.to_string(), series.interval.as_str()));
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lies_with_those_of_its_interval_and_no_symbol_leaves_the_folder() {
        let series = Series { symbol: "../BTC/USD".parse().unwrap(), interval: Interval::Day1 };
        assert_eq!(file_of(&series, Format::Csv), Path::new("1day/..%2FBTC%2FUSD.csv"));
        assert_eq!(file_of(&series, Format::Arrow), Path::new("1day/..%2FBTC%2FUSD.arrow"));
    }
}
