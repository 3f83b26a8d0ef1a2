//! `candlewick drop`: uploads files to the start of the pipeline after checking what they would change.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use candlewick_shared::core::calendar::choice::CalendarSetting;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::form::{self, SaidForm, Stamped};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Month;
use candlewick_shared::core::metadata::{DROPPED, Instrument, RawMetadata};
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::{CleaningSettings, Watchlist};
use candlewick_shared::ports::store::ObjectStore;
use candlewick_transform::unpack;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::moment::as_of;
use crate::place::Place;
use crate::{status, terminal};

mod coming;
mod compare;
mod files;
mod names;
mod part;
mod places;
mod series;
mod stored;
mod summary;
mod verdict;

use coming::Rules;
use files::shown;
use part::Part;
use places::Places;
use summary::Summary;

/// Puts files of candles at their raw keys, where they are cleaned and loaded like any other.
///
/// Files of most sources are read as they are (docs/files.md). Intraday candles are kept in an object a month: a file of
/// several months is split. What was at a key before is replaced.
///
/// Before anything is written, each file is cleaned here and compared with what the store has. A file that cannot be read is
/// refused. One that would take candles away, or that has no usable row, is put only if you say so: you are asked on a
/// terminal, and --yes says it elsewhere. --preview shows all that and puts nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  candlewick drop AAPL.csv --interval 1day
  candlewick drop exports/ --interval 1day --preview
  candlewick drop 'BTCUSDT-1m-*.zip' --interval 1min --calendar 24/7")]
pub struct Args {
    /// Files, folders and patterns; a file may be packed (gzip, or a ZIP archive with one file); '-' reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The instrument, such as AAPL or BTC/USD [default: what the folder symbol=…, the file's name or a column says]
    #[arg(long)]
    symbol: Option<Symbol>,
    /// The length of the candles: 1min 5min 15min 30min 45min 1h 2h 4h 8h 1day 1week 1month [default: what the folder
    /// interval=… or the file's name says]
    #[arg(long)]
    interval: Option<Interval>,
    /// The month of intraday candles, such as 2024-01 [default: the months of the file's times]
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Month>,
    /// The time zone of times that name no offset, such as America/New_York [default: what the format says, or UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// The exchange's MIC, or forex, metals, 24/7 or 24/5: what is missing is filled by it, and an instant at which a session opens is its
    /// day [default: what the watchlist says]
    #[arg(long, value_parser = calendar)]
    calendar: Option<String>,
    /// When the source wrote the file, such as 2024-12-30T22:00:00Z, or 2024-12-30 for the end of that day in UTC; later
    /// candles are quarantined, and one that was still open then is left out [default: now]
    #[arg(long, value_name = "TIME", value_parser = as_of)]
    as_of: Option<Timestamp>,
    /// A format of the watchlist, such as mine for its [formats.mine]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// How times are written, such as %d/%m/%Y, where the file leaves that open
    #[arg(long, value_name = "FORMAT", value_parser = form::date_format)]
    date_format: Option<String>,
    /// The mark of decimals, . or , where the file leaves that open
    #[arg(long, value_name = "MARK", value_parser = form::decimal)]
    decimal: Option<char>,
    /// Which end of intraday candles their times are: start or end [default: start]
    #[arg(long, value_name = "END", value_parser = form::stamped)]
    stamped: Option<Stamped>,
    /// Show how the files are read and what they would change, and put nothing
    #[arg(long)]
    preview: bool,
    /// Put a file also if that takes candles away, or if none of its rows is usable
    #[arg(long)]
    yes: bool,
}

fn month(text: &str) -> Result<Month, String> {
    let date: Result<Date, _> = format!("{text}-01").parse();
    date.map(Month::of).map_err(|_| "write a month as 2024-01".to_owned())
}

/// Parses the code of a calendar, which may be one of the owner's. That a file has no calendar can be said only in the watchlist: metadata without a
/// calendar leaves the choice open.
fn calendar(text: &str) -> anyhow::Result<String> {
    match CalendarSetting::from(text.to_owned()) {
        CalendarSetting::Code(code) => Ok(code),
        CalendarSetting::None => bail!("write calendar = \"none\" for the instrument in the watchlist instead"),
    }
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let files = files::all(&args.files)?;
    ensure!(args.symbol.is_none() || files.len() == 1, "--symbol is for one file, and there are {}", files.len());
    let running = place.running().await?;
    let watchlist = status::watchlist(&running.aws, &running.env).await?;
    let store = running.aws.store(running.env.bucket()?);
    let dropping = Dropping { args: &args, watchlist, clock: running.env.clock()?, store: &store };
    dropping.require_own_places(&files)?;
    let mut summary = Summary::new(files.len(), args.preview);
    for file in &files {
        let dropped = dropping.file(file, &mut summary).await;
        summary.end(file, dropped);
    }
    summary.finish()
}

/// Settings that apply to all files.
struct Dropping<'a> {
    args: &'a Args,
    watchlist: Option<Arc<Watchlist>>,
    clock: Clock,
    store: &'a dyn ObjectStore,
}

impl Dropping<'_> {
    /// Checks a file, and uploads it if there is no objection.
    async fn file(&self, file: &Path, summary: &mut Summary) -> anyhow::Result<()> {
        let body = read(file)?;
        let (parts, rules) = self.parts(file, body)?;
        let mut seen = Vec::with_capacity(parts.len());
        for part in &parts {
            seen.push(part.inspect(self.store).await?);
        }
        let doubts: Vec<String> =
            parts.iter().zip(&seen).filter_map(|(part, seen)| part.show(seen, &rules, summary)).collect();
        if self.args.preview {
            return Ok(());
        }
        if !doubts.is_empty() && !self.args.yes {
            confirm(&doubts.join("; "))?;
        }
        part::put_all(self.store, &parts, &seen).await
    }

    /// Refuses two files that would become the same object: the second would replace the first.
    fn require_own_places(&self, files: &[PathBuf]) -> anyhow::Result<()> {
        if files.len() == 1 {
            return Ok(());
        }
        let mut places = Places::default();
        for file in files {
            // A file that cannot be read becomes no object; its error is reported in its turn.
            let parts = read(file).and_then(|body| self.parts(file, body));
            parts.iter().flat_map(|(parts, _)| parts).for_each(|part| places.add(part.path(), file));
        }
        places.require_distinct()
    }

    /// The objects that a file becomes: one, or one per month.
    fn parts(&self, file: &Path, body: Bytes) -> anyhow::Result<(Vec<Part>, Rules)> {
        let args = self.args;
        let text = text(file, body.clone())?;
        let series = series::of(file, args.symbol.as_ref(), args.interval, &text)?;
        let is_month_of_days = args.month.is_some() && !series.interval.is_intraday();
        ensure!(
            !is_month_of_days,
            "--month is for intraday intervals: all {} candles are in one file",
            series.interval
        );
        let metadata = metadata(args, &self.clock, Timestamp::now())?;
        let key = part::key(&series, args.month, &body);
        let settings = match &self.watchlist {
            Some(list) => list.cleaning_of(&key, &metadata.form)?,
            None => CleaningSettings::without_watchlist(&metadata.form)?,
        };
        require_known_calendar(args, &settings)?;
        let settings = settings.in_zone(args.timezone.as_deref());
        require_no_other_calendar(args, &series.symbol, &settings)?;
        let rules = Rules::new(&metadata, settings, self.clock.at(Timestamp::now()), self.clock != Clock::Real)?;
        let parts = part::parts(key, body, &text, &metadata, &rules);
        Ok((parts.with_context(|| format!("{}: nothing was put", shown(file)))?, rules))
    }
}

fn read(file: &Path) -> anyhow::Result<Bytes> {
    let mut body = Vec::new();
    let context = || format!("read {}", shown(file));
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut body).with_context(context)?;
    } else {
        body = std::fs::read(file).with_context(context)?;
    }
    ensure!(!body.is_empty(), "{} is empty: nothing was put", shown(file));
    Ok(body.into())
}

fn text(file: &Path, body: Bytes) -> anyhow::Result<Bytes> {
    let text = unpack::read(body, unpack::MOST_OF_A_COMMAND);
    text.map_err(|failure| anyhow::anyhow!("{}: {}: nothing was put", shown(file), failure.message))
}

/// The metadata of the object. With a simulated clock it includes the upload time by that clock: the store knows only
/// the machine's time, and a simulated clock starts anew with each start.
fn metadata(args: &Args, clock: &Clock, real_now: Timestamp) -> anyhow::Result<RawMetadata> {
    let now = clock.at(real_now);
    if let Some(said) = args.as_of.filter(|said| *said > now) {
        bail!("--as-of {said} is in the future: it is {now}{}", if *clock == Clock::Real { "" } else { SIMULATED });
    }
    let timezone = args.timezone.clone();
    let calendar = args.calendar.clone();
    let instrument = Instrument { timezone, calendar, ..Instrument::default() };
    let fetched_at = args.as_of.or((*clock != Clock::Real).then_some(now));
    let form = SaidForm {
        format: args.format.clone(),
        date_format: args.date_format.clone(),
        decimal: args.decimal,
        stamped: args.stamped,
    };
    Ok(RawMetadata { source: Some(DROPPED.to_owned()), fetched_at, instrument, form, ..RawMetadata::default() })
}

fn require_known_calendar(args: &Args, settings: &CleaningSettings) -> anyhow::Result<()> {
    let said = args.calendar.clone().map(CalendarSetting::Code);
    said.map_or(Ok(()), |code| code.require_known(&settings.calendars)).context("read --calendar")
}

/// The watchlist takes precedence over an object's metadata, so another calendar in the metadata would have no effect.
fn require_no_other_calendar(args: &Args, symbol: &Symbol, settings: &CleaningSettings) -> anyhow::Result<()> {
    if let (Some(said), Some(listed)) = (&args.calendar, &settings.calendar) {
        ensure!(
            CalendarSetting::Code(said.clone()) == *listed,
            "the watchlist says another calendar for {symbol}: change it there"
        );
    }
    Ok(())
}

/// Appended to times of a clock that is not the machine's.
const SIMULATED: &str = " by the simulator's clock";

/// Asks for confirmation, which is possible only at a terminal.
fn confirm(why: &str) -> anyhow::Result<()> {
    match terminal::ask(&format!("{why}. Put it all the same?"))? {
        Some(true) => Ok(()),
        Some(false) => bail!("{why}: nothing was put"),
        None => bail!("{why}: nothing was put. Add --yes if that is what you want"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn args(more: &[&str]) -> Args {
        let first = ["drop", "file.csv", "--symbol", "ABC", "--interval", "1day"];
        Command::try_parse_from(first.iter().chain(more)).unwrap().args
    }

    #[test]
    fn that_a_file_has_no_calendar_is_left_to_the_watchlist() {
        let first = ["drop", "file.csv", "--symbol", "ABC", "--interval", "1day", "--calendar", "none"];
        let error = Command::try_parse_from(first).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("in the watchlist instead"), "{error}");
    }

    #[test]
    fn a_file_is_held_to_no_other_calendar_than_the_watchlist_says() {
        let listed =
            |code: &str| CleaningSettings { calendar: Some(code.parse().unwrap()), ..CleaningSettings::default() };
        let args = args(&["--calendar", "XNYS"]);
        let abc = "ABC".parse().unwrap();
        assert!(require_no_other_calendar(&args, &abc, &CleaningSettings::default()).is_ok());
        assert!(require_no_other_calendar(&args, &abc, &listed("XNYS")).is_ok());
        let error = require_no_other_calendar(&args, &abc, &listed("XLON")).unwrap_err().to_string();
        assert!(error.contains("the watchlist says another calendar for ABC"), "{error}");
        let metadata = metadata(&args, &Clock::Real, Timestamp::now()).unwrap();
        assert_eq!(metadata.instrument.calendar.as_deref(), Some("XNYS"));
    }
}
