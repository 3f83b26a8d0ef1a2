//! `candlewick drop`: puts a file where the pipeline begins.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::{Month, ObjectPath, Part, RawKey, Series};
use candlewick_shared::core::metadata::{Instrument, Metadata, RawMetadata};
use candlewick_shared::core::raw_csv;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::place::Place;
use crate::terminal;

/// Puts a CSV file at its raw key, whence it is cleaned and loaded like any other.
///
/// The file needs a header with datetime (or date, time, timestamp), open, high, low, close and perhaps volume, separated
/// by ',' or ';'. Intraday candles are kept in a file a month. It replaces what was at its key before.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file, CSV or gzipped CSV (.gz); '-' reads standard input
    file: PathBuf,
    /// The instrument, such as AAPL or BTC/USD
    #[arg(long)]
    symbol: Symbol,
    /// The length of the candles: 1min 5min 15min 30min 45min 1h 2h 4h 8h 1day 1week 1month
    #[arg(long)]
    interval: Interval,
    /// The month of intraday candles, such as 2024-01 [default: the month of the file's times]
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Month>,
    /// The time zone of times that name no offset, such as America/New_York [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
}

fn month(text: &str) -> Result<Month, String> {
    let date: Result<Date, _> = format!("{text}-01").parse();
    date.map(Month::of).map_err(|_| "write a month as 2024-01".to_owned())
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let body = read(&args.file)?;
    let zone = time_zone(args.timezone.as_deref())?;
    let gzip = args.file.extension().is_some_and(|extension| extension == "gz");
    let part = match (args.interval.is_intraday(), args.month) {
        (false, None) => Part::Whole,
        (false, Some(_)) => bail!("--month is for intraday intervals: all {} candles stand in one file", args.interval),
        (true, Some(month)) => Part::Month(month),
        (true, None) if gzip => bail!("name the month of a gzipped file: --month 2024-01"),
        (true, None) => Part::Month(only_month(&body, args.interval, &zone)?),
    };
    let key =
        RawKey { path: ObjectPath { series: Series { symbol: args.symbol, interval: args.interval }, part }, gzip };
    let running = place.running().await?;
    let store = running.aws.store(running.env.bucket()?);
    let object = NewObject::csv(body, metadata(args.timezone));
    store.put(&key.to_string(), object, PutIf::Always).await?;
    terminal::result(&format!("{key}: put; `cargo run -- status` shows it arrive"));
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut body = Vec::new();
        std::io::stdin().read_to_end(&mut body).context("read standard input")?;
        return Ok(body);
    }
    std::fs::read(file).with_context(|| format!("read {}", file.display()))
}

fn time_zone(name: Option<&str>) -> anyhow::Result<TimeZone> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    TimeZone::get(name).with_context(|| format!("--timezone {name} is no IANA time zone, such as America/New_York"))
}

fn metadata(timezone: Option<String>) -> Metadata {
    let instrument = Instrument { timezone, ..Instrument::default() };
    RawMetadata { source: Some("drop".to_owned()), instrument, ..RawMetadata::default() }.write()
}

/// The month of all times in the file, by UTC; times that cannot be read say nothing here, and are set aside by cleaning.
fn only_month(body: &[u8], interval: Interval, zone: &TimeZone) -> anyhow::Result<Month> {
    let (header, mut reader) = raw_csv::open(body)?;
    let mut months = reader.byte_records().filter_map(|record| {
        let record = record.ok()?;
        let text = std::str::from_utf8(record.get(header.time)?).ok()?;
        CandleTime::parse(text.trim(), interval, zone).ok()?.date().map(Month::of)
    });
    let first = months.next().context("no time in the file can be read: name the month with --month 2024-01")?;
    match months.find(|month| *month != first) {
        None => Ok(first),
        Some(other) => bail!("the file has candles of {first} and of {other}: drop a file for each month"),
    }
}
