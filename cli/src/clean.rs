//! `candlewick clean`: runs the transform's cleaning on files, without any services.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::watchlist;
use anyhow::{Context, bail, ensure};
use candlewick_shared::core::calendar::choice::CalendarSetting;
use candlewick_shared::core::form::{self, SaidForm, Stamped};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::{ObjectPath, RawKey};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::report::{AsOfFrom, Source};
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::{CleaningSettings, Share, Watchlist};
use candlewick_transform::clean::{Cleaned, clean};
use candlewick_transform::task::Task;
use jiff::Timestamp;
use jiff::tz::TimeZone;

mod input;
mod output;
pub mod summary;

use crate::moment::as_of;
use input::Input;
use summary::{Done, Summary};

/// Clean CSV files of candles, with no services: clean CSV on stdout, or three files for each in a folder.
///
/// Exits with 1 if more was quarantined or filled than the thresholds allow, and with 2 if a file could not be cleaned.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  candlewick clean AAPL.csv --symbol AAPL --interval 1day --calendar XNYS > clean.csv
  zcat minutes.csv.gz | candlewick clean - --symbol AAPL --interval 1min --calendar XNYS --timezone America/New_York
  candlewick clean --out cleaned --calendar XNYS raw/interval=1day/symbol=*/candles.csv")]
pub struct Args {
    /// Files of raw CSV, or - for stdin; each may be gzipped
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The instrument; without it, the folder symbol=… of the file's path says it
    #[arg(long)]
    symbol: Option<Symbol>,

    /// The length of the candles, 1min to 1month; without it, the folder interval=… says it
    #[arg(long)]
    interval: Option<Interval>,

    /// The exchange's MIC, or forex, metals, 24/7, 24/5 or none; without one nothing is filled
    #[arg(long)]
    calendar: Option<CalendarSetting>,

    /// The IANA zone of times that name no offset [default: what the format says, or UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,

    /// The longest run of vacant slots that is filled [default: 3]
    #[arg(long, value_name = "SLOTS")]
    max_fill: Option<u32>,

    /// When the source said it, such as 2024-12-30T22:00:00Z, or 2024-12-30 for the end of that day in UTC [default: when
    /// the file was written]
    #[arg(long, value_name = "TIME", value_parser = as_of)]
    as_of: Option<Timestamp>,

    /// The share of rows that may be quarantined, 0 to 1 [default: 0.01]
    #[arg(long, value_name = "SHARE")]
    max_quarantined: Option<Share>,

    /// The share of candles that may be filled, 0 to 1 [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    max_filled: Option<Share>,

    /// Whether prices of zero and less are possible, as of oil in April 2020
    #[arg(long)]
    allow_negative: bool,

    /// How times are written, such as %d/%m/%Y, where the file leaves that open
    #[arg(long, value_name = "FORMAT", value_parser = form::date_format)]
    date_format: Option<String>,

    /// The mark of decimals, . or , where the file leaves that open
    #[arg(long, value_name = "MARK", value_parser = form::decimal)]
    decimal: Option<char>,

    /// Which end of intraday candles their times are: start or end [default: start]
    #[arg(long, value_name = "END", value_parser = form::stamped)]
    stamped: Option<Stamped>,

    /// A format of the watchlist, such as mine for its [formats.mine]
    #[arg(long, value_name = "NAME", requires = "watchlist")]
    format: Option<String>,

    /// A watchlist, whose settings hold where no option says otherwise
    #[arg(long, value_name = "FILE")]
    watchlist: Option<PathBuf>,

    /// A folder for clean CSV, quarantine CSV and report, under the layout of the bucket; without one, clean CSV goes to
    /// stdout
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Also write the candles as Parquet into the folder, as the transform writes them into the bucket
    #[arg(long, requires = "out")]
    columnar: bool,
}

/// Cleans the files.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let inputs = inputs(&args)?;
    let common = Common::of(&args).await?;
    let mut summary = Summary::new(inputs.len());
    for input in &inputs {
        match common.clean_file(input, args.out.as_ref()) {
            Ok(done) => summary.add(&done)?,
            Err(error) if is_broken_pipe(&error) => return Ok(ExitCode::SUCCESS),
            Err(error) => summary.fail(input, &error)?,
        }
    }
    summary.finish()
}

/// Whether stdout was closed by its reader, as by `head`.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Collects what is known of each file before any is read.
fn inputs(args: &Args) -> anyhow::Result<Vec<Input>> {
    ensure!(
        args.files.len() == 1 || args.out.is_some(),
        "several files cannot share stdout: name a folder for what comes of them, such as --out cleaned"
    );
    let mut inputs: BTreeMap<String, Input> = BTreeMap::new();
    let mut order = Vec::with_capacity(args.files.len());
    for file in &args.files {
        let input = Input::new(file, args.symbol.as_ref(), args.interval)?;
        let name = input.name();
        if let Some(other) = inputs.insert(name.clone(), input) {
            let one = file.display();
            let other = other.path.display();
            bail!("{other} and {one} would both become {name}.csv: clean them one by one, into different folders");
        }
        order.push(name);
    }
    Ok(order.iter().filter_map(|name| inputs.remove(name)).collect())
}

/// Settings that apply to all files.
struct Common<'a> {
    args: &'a Args,
    zone: TimeZone,
    watchlist: Option<Watchlist>,
    instrument: Instrument,
}

impl<'a> Common<'a> {
    async fn of(args: &'a Args) -> anyhow::Result<Self> {
        let name = args.timezone.as_deref().unwrap_or("UTC");
        let zone = TimeZone::get(name)
            .with_context(|| format!("--timezone {name}: write an IANA name such as America/New_York"))?;
        let watchlist = match &args.watchlist {
            Some(path) => Some(watchlist::of_file(path).await?),
            None => None,
        };
        let calendars = watchlist.as_ref().map(|watchlist| watchlist.calendars().clone()).unwrap_or_default();
        args.calendar
            .as_ref()
            .map_or(Ok(()), |setting| setting.require_known(&calendars))
            .context("read --calendar")?;
        let instrument = Instrument { timezone: args.timezone.clone(), ..Instrument::default() };
        Ok(Self { args, zone, watchlist, instrument })
    }

    fn settings(&self, input: &Input) -> anyhow::Result<CleaningSettings> {
        let path = ObjectPath { series: input.series.clone(), part: input.part };
        let args = self.args;
        let said = SaidForm {
            format: args.format.clone(),
            date_format: args.date_format.clone(),
            decimal: args.decimal,
            stamped: args.stamped,
        };
        let usual = match &self.watchlist {
            Some(list) => list.cleaning_of(&RawKey { path, gzip: false }, &said)?,
            None => CleaningSettings::without_watchlist(&said)?,
        };
        let usual = usual.in_zone(args.timezone.as_deref());
        Ok(CleaningSettings {
            calendar: self.args.calendar.clone().or_else(|| usual.calendar.clone()),
            max_fill: self.args.max_fill.unwrap_or(usual.max_fill),
            max_quarantined: self.args.max_quarantined.unwrap_or(usual.max_quarantined),
            max_filled: self.args.max_filled.unwrap_or(usual.max_filled),
            allow_negative: self.args.allow_negative || usual.allow_negative,
            ..usual
        })
    }

    /// How the `as_of` time of the files was determined.
    fn as_of_from(&self) -> AsOfFrom {
        if self.args.as_of.is_some() { AsOfFrom::Said } else { AsOfFrom::Written }
    }

    fn clean_file(&self, input: &Input, out: Option<&PathBuf>) -> anyhow::Result<Done> {
        let (text, written) = input.read()?;
        let now = self.args.as_of.unwrap_or(written);
        let settings = self.settings(input)?;
        let key = input.path.display().to_string();
        let task = Task {
            series: &input.series,
            part: input.part,
            zone: &self.zone,
            now,
            instrument: &self.instrument,
            settings: &settings,
            source: Source { key, etag: String::new(), as_of: now.to_string(), as_of_from: self.as_of_from() },
            is_by_hand: true,
        };
        let cleaned: Cleaned<'_> = clean(&text, &task)?;
        match out {
            Some(folder) if self.args.columnar => {
                output::write_with_columns(&cleaned, &input.series, folder, &input.name())?;
            }
            Some(folder) => output::write_all(&cleaned, folder, &input.name())?,
            None => cleaned.write_candles(io::stdout().lock())?,
        }
        Ok(Done { first_quarantined: cleaned.first_quarantined(), report: cleaned.report })
    }
}
