//! `candlewick export`: writes candles to CSV files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use futures::TryStreamExt;
use jiff::civil::Date;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt, BufWriter};

use crate::clean::is_broken_pipe;
use crate::place::Place;
use crate::terminal;

/// Writes candles from the database to CSV: one file per series (DIR/1day/AAPL.csv), a single file, or stdout.
///
/// The columns are those of clean CSV: symbol, interval, time, open, high, low, close, volume, has_volume, is_filled.
/// Times are dates for daily and longer candles, and RFC 3339 in UTC for intraday candles. If the volume is unknown,
/// has_volume is false and volume is 0. docs/data-studio.md explains how to make a chart of the files.
///
/// Needs the database. A single file or stdout takes exactly one series. An existing file is replaced only when the new
/// one is complete.
///
/// Exit codes: 0 on success, 1 after an error or if the database has no such candles.
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
    /// Where to write: a folder, a file whose name ends in .csv, or - for stdout
    #[arg(long, value_name = "DIR|FILE|-")]
    out: PathBuf,
}

#[derive(Debug, PartialEq, Eq)]
enum Target {
    Stdout,
    File(PathBuf),
    Folder(PathBuf),
}

impl Target {
    fn of(out: &Path) -> Self {
        match out.extension() {
            _ if out == Path::new("-") => Self::Stdout,
            Some(extension) if extension == "csv" => Self::File(out.to_owned()),
            _ => Self::Folder(out.to_owned()),
        }
    }
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(to)) = (args.from, args.to) {
        ensure!(from <= to, "--from {from} is after --to {to}: the range is empty");
    }
    let pool = place.running().await?.pool().await?;
    let series = chosen(&pool, &args).await?;
    match Target::of(&args.out) {
        Target::Stdout => match write(&pool, only(&series)?, &args, tokio::io::stdout()).await {
            Err(error) if !is_broken_pipe(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        },
        Target::File(file) => into_file(&pool, only(&series)?, &args, &file).await?,
        Target::Folder(folder) => {
            for series in &series {
                into_file(&pool, series, &args, &folder.join(file_of(series))).await?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One folder per interval: Data Studio requires that all files of a folder have the same schema.
fn file_of(series: &Series) -> PathBuf {
    Path::new(series.interval.as_str()).join(format!("{}.csv", series.symbol.to_key_form()))
}

fn only(series: &[Series]) -> anyhow::Result<&Series> {
    match series {
        [one] => Ok(one),
        many => bail!(
            "{} series cannot share one file: choose one with --symbol and --interval, or give a folder to get one file per series",
            many.len()
        ),
    }
}

/// The chosen series of the store. Fails if a named symbol has none of them.
async fn chosen(pool: &PgPool, args: &Args) -> anyhow::Result<Vec<Series>> {
    let query = "select distinct symbol, interval from objects where rows_total > 0 order by symbol, interval";
    let rows: Vec<(String, String)> = sqlx::query_as(query).fetch_all(pool).await.context("read the series")?;
    let series = |(symbol, interval): (String, String)| {
        anyhow::Ok(Series { symbol: symbol.parse()?, interval: interval.parse()? })
    };
    let all: Vec<_> = rows.into_iter().map(series).collect::<Result<_, _>>()?;
    let is_wanted = |series: &&Series| {
        (args.symbol.is_empty() || args.symbol.contains(&series.symbol))
            && (args.interval.is_empty() || args.interval.contains(&series.interval))
    };
    let chosen: Vec<_> = all.iter().filter(is_wanted).cloned().collect();
    let is_missing = |symbol: &&Symbol| !chosen.iter().any(|series| series.symbol == **symbol);
    if let Some(symbol) = args.symbol.iter().find(is_missing) {
        bail!("the store has no such candles of {symbol}: `candlewick status` shows what it has");
    }
    ensure!(!chosen.is_empty(), "the store has no such candles: `candlewick status` shows what it has");
    Ok(chosen)
}

/// Writes to a temporary file next to the target and renames it at the end, so that readers never see an incomplete
/// file.
async fn into_file(pool: &PgPool, series: &Series, args: &Args, file: &Path) -> anyhow::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    tokio::fs::create_dir_all(folder).await.with_context(|| format!("create {}", folder.display()))?;
    let part = file.with_extension("csv.part");
    let target = File::create(&part).await.with_context(|| format!("create {}", part.display()))?;
    let bytes = write(pool, series, args, target).await?;
    tokio::fs::rename(&part, file).await.with_context(|| format!("write {}", file.display()))?;
    terminal::result(&format!("{series}: {} ({bytes} bytes)", file.display()));
    Ok(())
}

/// Streams a series as CSV. Returns the number of bytes.
async fn write(pool: &PgPool, series: &Series, args: &Args, target: impl AsyncWrite + Unpin) -> anyhow::Result<usize> {
    let mut database = pool.acquire().await.context("connect to the database")?;
    let mut transaction = database.begin().await.context("begin a transaction")?;
    set_bounds(&mut transaction, series, args).await.context("set what to export")?;
    let statement = copy(series.interval);
    let mut chunks = transaction.copy_out_raw(&statement).await.context("start reading candles")?;
    let mut target = BufWriter::new(target);
    let mut bytes = 0;
    while let Some(chunk) = chunks.try_next().await.context("read candles")? {
        target.write_all(&chunk).await.context("write candles")?;
        bytes += chunk.len();
    }
    target.flush().await.context("write candles")?;
    Ok(bytes)
}

/// `copy` takes no parameters, so they are passed as settings of the transaction instead of becoming part of the SQL.
async fn set_bounds(database: &mut PgConnection, series: &Series, args: &Args) -> sqlx::Result<()> {
    let date = |date: Option<Date>, open: &str| date.map_or_else(|| open.to_owned(), |date| date.to_string());
    let settings = [
        ("candlewick.symbol", series.symbol.to_string()),
        ("candlewick.interval", series.interval.to_string()),
        ("candlewick.from", date(args.from, "-infinity")),
        ("candlewick.to", date(args.to, "infinity")),
    ];
    for (name, value) in settings {
        let query = sqlx::query("select set_config($1, $2, true)").bind(name).bind(value);
        query.execute(&mut *database).await?;
    }
    Ok(())
}

fn copy(interval: Interval) -> String {
    let form = if interval.is_intraday() { r#"YYYY-MM-DD"T"HH24:MI:SS"Z""# } else { "YYYY-MM-DD" };
    format!(
        "copy (select symbol, interval, to_char(time at time zone 'UTC', '{form}') as time, open, high, low, close,
            coalesce(volume, 0) as volume, (volume is not null)::text as has_volume, is_filled::text
        from bi_candles
        where symbol = current_setting('candlewick.symbol') and interval = current_setting('candlewick.interval')
            and time >= current_setting('candlewick.from')::timestamp at time zone 'UTC'
            and time < (current_setting('candlewick.to')::date + 1)::timestamp at time zone 'UTC'
        order by bi_candles.time) to stdout (format csv, header)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_told_by_its_name() {
        assert_eq!(Target::of(Path::new("-")), Target::Stdout);
        assert_eq!(Target::of(Path::new("a/b.csv")), Target::File("a/b.csv".into()));
        assert_eq!(Target::of(Path::new("exports")), Target::Folder("exports".into()));
    }

    #[test]
    fn a_file_lies_with_those_of_its_interval_and_no_symbol_leaves_the_folder() {
        let series = Series { symbol: "../BTC/USD".parse().unwrap(), interval: Interval::Day1 };
        assert_eq!(file_of(&series), Path::new("1day/..%2FBTC%2FUSD.csv"));
    }

    #[test]
    fn several_series_do_not_share_a_file() {
        let series = Series { symbol: "AAPL".parse().unwrap(), interval: Interval::Day1 };
        assert_eq!(only(std::slice::from_ref(&series)).unwrap(), &series);
        assert!(only(&[series.clone(), series]).unwrap_err().to_string().contains("2 series cannot share"));
    }
}
