//! Real-world files (`tests/cases/files`), through `candlewick clean` and through `candlewick drop`, with the expected
//! results in one table. The values are checked by the transform's own tests.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use candlewick_test_support::programs;
use libtest_mimic::Trial;

use crate::candlewick::{candlewick, finish};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![clean_makes_of_each_file_what_must_become_of_it, drop_makes_of_each_file_what_must_become_of_it]
}

/// The expected result of a file.
#[derive(Clone, Copy)]
enum Wanted {
    /// This number of candles.
    Rows(i64),
    /// An error that contains this text.
    Refused(&'static str),
}

use Wanted::{Refused, Rows};

/// A file: its name, symbol, interval, zone and calendar, the result of `clean` with the calendar, and the result of
/// `drop` without one.
struct File(&'static str, &'static str, &'static str, &'static str, &'static str, Wanted, Wanted);

const FILES: [File; 40] = [
    File("bhavcopy", "ABC", "1day", "UTC", "XBOM", Rows(1), Rows(1)),
    File("binance-noheader-ms", "F1", "1day", "UTC", "24/7", Rows(4), Rows(4)),
    File("cdd-banner", "BTC", "1day", "UTC", "24/7", Rows(1), Rows(1)),
    File("clean-csv-of-other-symbol", "F3", "1day", "UTC", "XNYS", Refused("names MSFT"), Refused("names MSFT")),
    File("date-and-time-columns-5min", "F4", "5min", "America/New_York", "XNYS", Rows(2), Rows(2)),
    File("dst-fall-back-1h-naive", "F5", "1h", "America/New_York", "24/7", Rows(5), Rows(5)),
    File("euro-decimals-comma-flat", "F6", "1day", "UTC", "none", Refused("9 cells for 5"), Refused("ragged")),
    File("euro-decimals-semicolon", "F7", "1day", "UTC", "XNYS", Rows(2), Rows(2)),
    File("excel-sep-line", "F8", "1day", "UTC", "XNYS", Rows(1), Rows(1)),
    File("export-of-candles-without-volume", "MUTF", "1day", "UTC", "XNYS", Rows(19), Rows(19)),
    File("forex-sunday-evening-1h", "F9", "1h", "UTC", "forex", Rows(6), Rows(6)),
    File("good-5-days", "G1", "1day", "UTC", "XNYS", Rows(5), Rows(5)),
    File("gz-content-named-csv", "G2", "1day", "UTC", "XNYS", Rows(1), Rows(1)),
    File("header-only-failed-download", "G3", "1day", "UTC", "XNYS", Refused("no rows"), Refused("no rows")),
    File("hkex-storm-days-2023-09", "G4", "1day", "UTC", "XHKG", Rows(6), Rows(6)),
    File("hour-only", "G5", "1day", "UTC", "XNYS", Refused("2 other_interval"), Refused("2 other_interval")),
    File("ib-volume-minus1", "G6", "1day", "UTC", "24/5", Rows(2), Rows(2)),
    File("index-volume-column-empty", "G7", "1day", "UTC", "XNYS", Rows(3), Rows(3)),
    File("is_filled-pandas", "ABC", "1day", "UTC", "XNYS", Rows(3), Rows(3)),
    File("is_filled-psql", "ABC", "1day", "UTC", "XNYS", Rows(3), Rows(3)),
    File("metatrader5-tab", "G8", "1min", "UTC", "none", Rows(2), Rows(2)),
    File("multi-month-1h", "G9", "1h", "UTC", "24/7", Rows(4), Rows(4)),
    File("nse-2024-03-02", "H1", "1day", "UTC", "XBOM", Rows(3), Rows(3)),
    File("thousands-quoted", "H2", "1day", "UTC", "XNYS", Rows(2), Rows(2)),
    File("thousands-unquoted-volume", "H3", "1day", "UTC", "XNYS", Refused("8 cells for 6"), Refused("ragged")),
    File("tiingo-daily-z", "H4", "1day", "UTC", "XNYS", Rows(5), Rows(5)),
    File("timestamp-ms", "H5", "1day", "UTC", "24/7", Rows(4), Rows(4)),
    File("tradingview-unix-time-5min", "H6", "5min", "UTC", "XNYS", Rows(4), Rows(4)),
    File("tradingview-unix-time-daily", "H7", "1day", "UTC", "XNYS", Rows(4), Refused("other_interval")),
    File("twelvedata-forex-8h-real-stamps", "H8", "8h", "UTC", "forex", Rows(4), Rows(5)),
    File("two-symbols-in-one-file", "H9", "1day", "UTC", "XNYS", Refused("AAA, BBB"), Refused("AAA, BBB")),
    File("unclosed-quote-closed-later", "I1", "1day", "UTC", "XNYS", Rows(3), Rows(3)),
    File(
        "us-dates",
        "I2",
        "1day",
        "UTC",
        "XNYS",
        Refused("2024-02-01 or 2024-01-02"),
        Refused("--date-format %m/%d/%Y"),
    ),
    File("utf16le-bom", "I3", "1day", "UTC", "XNYS", Rows(1), Rows(1)),
    File("vol-named-vol", "I4", "1day", "UTC", "XNYS", Rows(2), Rows(2)),
    File("weekly-friday-stamps", "I5", "1week", "UTC", "XNYS", Rows(4), Rows(4)),
    File("wti-negative", "I6", "1day", "UTC", "none", Rows(2), Rows(2)),
    File("xnys-1h-on-clock-hours", "I7", "1h", "America/New_York", "XNYS", Rows(7), Rows(7)),
    File("yfinance-float-noise", "I8", "1day", "UTC", "XNYS", Rows(3), Rows(3)),
    File("yfinance-multiindex", "ABC", "1day", "UTC", "XNYS", Rows(5), Rows(5)),
];

fn folder() -> PathBuf {
    programs::root().join("tests/cases/files")
}

/// Every file of the folder is in the table.
fn require_all() -> anyhow::Result<()> {
    let mut names: Vec<String> = std::fs::read_dir(folder())?
        .map(|entry| Ok(entry?.path().file_stem().context("name a file")?.to_string_lossy().into_owned()))
        .collect::<anyhow::Result<_>>()?;
    names.sort();
    let mut known = FILES.map(|file| file.0);
    known.sort_unstable();
    ensure!(names == known, "{names:?} are there, and {known:?} are in the table");
    Ok(())
}

fn clean_makes_of_each_file_what_must_become_of_it() -> anyhow::Result<()> {
    require_all()?;
    for File(name, symbol, interval, zone, calendar, wanted, _) in FILES {
        let out = tempfile::tempdir()?;
        let path = folder().join(format!("{name}.csv"));
        let mut command = candlewick(out.path());
        command.arg("clean").arg(path).args(["--symbol", symbol, "--interval", interval, "--calendar", calendar]);
        command.args(["--timezone", zone, "--as-of", "2024-12-30", "--out"]).arg(out.path());
        let (_, said) = finish(&mut command)?;
        let clean = out
            .path()
            .join(format!("transformed/interval={interval}/symbol={}/{name}.csv", symbol.replace('/', "%2F")));
        let rows = std::fs::read_to_string(clean).ok().map(|text| text.lines().count() as i64 - 1);
        match wanted {
            Rows(count) => ensure!(rows == Some(count), "{name}: {rows:?} candles, not {count}: {said}"),
            Refused(words) => ensure!(rows.is_none() && said.contains(words), "{name}: {rows:?}: {said}"),
        }
    }
    Ok(())
}

fn drop_makes_of_each_file_what_must_become_of_it() -> anyhow::Result<()> {
    let stack = Stack::get();
    for File(name, symbol, interval, zone, _, _, wanted) in FILES {
        let path = folder().join(format!("{name}.csv"));
        let mut command = candlewick(stack.state());
        command.arg("drop").arg(path).args(["--symbol", symbol, "--interval", interval, "--timezone", zone]);
        let (status, said) = finish(&mut command)?;
        match wanted {
            Rows(count) => {
                ensure!(status.success(), "{name}: {said}");
                stack.eventually(name, || Ok(stack.rows(symbol)? == count))?;
            }
            Refused(words) => ensure!(!status.success() && said.contains(words), "{name}: {said}"),
        }
    }
    Ok(())
}
