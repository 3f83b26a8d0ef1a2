//! `candlewick drop`: puts a file where the pipeline begins, after a look at what it would change.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use candlewick_shared::core::calendar::choice::CalendarSetting;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::{Month, ObjectPath, Part, RawKey, Series};
use candlewick_shared::core::metadata::{DROPPED, Instrument, RawMetadata};
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::CleaningSettings;
use candlewick_shared::ports::store::{NewObject, ObjectInfo, ObjectStore, Put, PutIf};
use candlewick_transform::unpack;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::moment::as_of;
use crate::place::Place;
use crate::{status, terminal};

mod coming;
mod compare;
mod standing;
mod verdict;

use coming::{Coming, Rules};
use verdict::Verdict;

/// Puts a CSV file at its raw key, where it is cleaned and loaded like any other.
///
/// The file needs a header with datetime (or date, time, timestamp), open, high, low, close and perhaps volume, separated
/// by ',' or ';'. Intraday candles are kept in a file a month. It replaces what was at its key before.
///
/// Before anything is written, the file is cleaned here and compared with what the store has. A file that cannot be read is
/// refused. One that would take candles away, or of which no row is usable, is put only if you say so: you are asked on a
/// terminal, and --yes says it elsewhere.
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
    /// The exchange's MIC, or forex, 24/7 or 24/5: what is missing is filled by it, and an instant at which a session opens is its
    /// day [default: what the watchlist says]
    #[arg(long, value_parser = calendar)]
    calendar: Option<String>,
    /// When the source wrote the file, such as 2024-12-30T22:00:00Z, or 2024-12-30 for the end of that day in UTC; later
    /// candles are set aside, and one that was still open then is left out [default: now]
    #[arg(long, value_name = "TIME", value_parser = as_of)]
    as_of: Option<Timestamp>,
    /// Put the file also if that takes candles away, or if none of its rows is usable
    #[arg(long)]
    yes: bool,
}

fn month(text: &str) -> Result<Month, String> {
    let date: Result<Date, _> = format!("{text}-01").parse();
    date.map(Month::of).map_err(|_| "write a month as 2024-01".to_owned())
}

/// The code of a calendar. That a file has none can only be said in the watchlist: metadata without a calendar leaves the choice
/// open.
fn calendar(text: &str) -> anyhow::Result<String> {
    match text.parse()? {
        CalendarSetting::Code(code) => Ok(code),
        CalendarSetting::None => bail!("write calendar = \"none\" for the instrument in the watchlist instead"),
    }
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let body = read(&args.file)?;
    let gzip = args.file.extension().is_some_and(|extension| extension == "gz");
    let text = text(&args.file, body.clone(), gzip)?;
    let running = place.running().await?;
    let watchlist = status::watchlist(&running.aws, &running.env).await?;
    let clock = running.env.clock()?;
    let metadata = metadata(&args, &clock, Timestamp::now())?;
    let settings = watchlist.map(|list| list.cleaning(&args.symbol).clone()).unwrap_or_default();
    require_no_other_calendar(&args, &settings)?;
    let rules = Rules::new(&metadata, settings, clock.at(Timestamp::now()), clock != Clock::Real)?;
    let path = path(&args, &text, &rules).with_context(|| shown(&args.file))?;
    let key = RawKey { path, gzip };
    let coming = Coming::of(&text, &key, &rules).with_context(|| format!("{}: nothing was put", shown(&args.file)))?;

    let store = running.aws.store(running.env.bucket()?);
    let seen = store.head(&key.to_string()).await?;
    let standing = standing::look(&store, &key, &coming).await?;
    let verdict = Verdict::of(&coming, &standing, seen.as_ref(), &rules);
    terminal::result(&verdict.words(&key.path));
    if let Some(why) = verdict.doubt().filter(|_| !args.yes) {
        confirm(&why)?;
    }
    put(&store, &key, NewObject::csv(body.to_vec(), metadata.write()), seen.as_ref()).await?;
    terminal::result(&format!("{key}: put; `cargo run -- status` shows it arrive"));
    Ok(ExitCode::SUCCESS)
}

fn shown(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
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

fn text(file: &Path, body: Bytes, gzip: bool) -> anyhow::Result<Bytes> {
    let text = unpack::read(body, gzip, unpack::MOST_OF_A_COMMAND);
    text.map_err(|failure| anyhow::anyhow!("{}: {}: nothing was put", shown(file), failure.message))
}

/// What stands beside the object. Under a simulated clock that says when the file was put by that clock: the store only knows
/// the machine's, and a simulated clock begins anew with each start.
fn metadata(args: &Args, clock: &Clock, real_now: Timestamp) -> anyhow::Result<RawMetadata> {
    let now = clock.at(real_now);
    if let Some(said) = args.as_of.filter(|said| *said > now) {
        bail!("--as-of {said} is in the future: it is {now}{}", if *clock == Clock::Real { "" } else { SIMULATED });
    }
    let timezone = args.timezone.clone();
    let calendar = args.calendar.clone();
    let instrument = Instrument { timezone, calendar, ..Instrument::default() };
    let fetched_at = args.as_of.or((*clock != Clock::Real).then_some(now));
    Ok(RawMetadata { source: Some(DROPPED.to_owned()), fetched_at, instrument, ..RawMetadata::default() })
}

/// The watchlist has precedence over an object's metadata, so that another calendar there would have no effect.
fn require_no_other_calendar(args: &Args, settings: &CleaningSettings) -> anyhow::Result<()> {
    if let (Some(said), Some(listed)) = (&args.calendar, &settings.calendar) {
        ensure!(
            CalendarSetting::Code(said.clone()) == *listed,
            "the watchlist says another calendar for {}: change it there",
            args.symbol
        );
    }
    Ok(())
}

/// Said with a time of a clock that is not the machine's.
const SIMULATED: &str = " by the simulator's clock";

fn path(args: &Args, text: &[u8], rules: &Rules) -> anyhow::Result<ObjectPath> {
    let series = Series { symbol: args.symbol.clone(), interval: args.interval };
    let part = match (args.interval.is_intraday(), args.month) {
        (false, None) => Part::Whole,
        (false, Some(_)) => bail!("--month is for intraday intervals: all {} candles stand in one file", args.interval),
        (true, Some(month)) => Part::Month(month),
        (true, None) => Part::Month(only_month(text, &series, rules)?),
    };
    Ok(ObjectPath { series, part })
}

/// The month of all candles in the file, by UTC.
fn only_month(text: &[u8], series: &Series, rules: &Rules) -> anyhow::Result<Month> {
    let whole = RawKey { path: ObjectPath { series: series.clone(), part: Part::Whole }, gzip: false };
    let coming = Coming::of(text, &whole, rules).context("nothing was put")?;
    let mut months = coming.candles.iter().filter_map(|candle| candle.time.date()).map(Month::of);
    let first = months.next().context("no row of the file is a candle: name the month with --month 2024-01")?;
    match months.find(|month| *month != first) {
        None => Ok(first),
        Some(other) => bail!("the file has candles of {first} and of {other}: drop a file for each month"),
    }
}

/// Asks whether to go on; a person at a terminal can say so, nobody else.
fn confirm(why: &str) -> anyhow::Result<()> {
    match terminal::ask(&format!("{why}. Put it all the same?"))? {
        Some(true) => Ok(()),
        Some(false) => bail!("{why}: nothing was put"),
        None => bail!("{why}: nothing was put. Add --yes if that is what you want"),
    }
}

/// Puts the object if the key still holds what the comparison was made with.
async fn put(
    store: &dyn ObjectStore,
    key: &RawKey,
    object: NewObject,
    seen: Option<&ObjectInfo>,
) -> anyhow::Result<()> {
    match store.put(&key.to_string(), object, PutIf::still(seen)).await? {
        Put::Written { .. } => Ok(()),
        Put::Changed => bail!("{key} changed while the file was compared with it: nothing was put. Try again"),
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
        assert!(require_no_other_calendar(&args, &CleaningSettings::default()).is_ok());
        assert!(require_no_other_calendar(&args, &listed("XNYS")).is_ok());
        let error = require_no_other_calendar(&args, &listed("XLON")).unwrap_err().to_string();
        assert!(error.contains("the watchlist says another calendar for ABC"), "{error}");
        let metadata = metadata(&args, &Clock::Real, Timestamp::now()).unwrap();
        assert_eq!(metadata.instrument.calendar.as_deref(), Some("XNYS"));
    }
}
