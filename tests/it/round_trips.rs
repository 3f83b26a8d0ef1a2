//! Candles that an export, a database client, the dashboard, pandas or a spreadsheet wrote to a file are the same
//! candles when that file is dropped.

use std::fmt::Write as _;

use anyhow::{Context, ensure};
use candlewick_shared::core::metadata::{Metadata, TransformedMetadata};
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use futures::TryStreamExt;
use libtest_mimic::Trial;
use sqlx::AssertSqlSafe;

use crate::candlewick::{candlewick, succeed};
use crate::stack::Stack;
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("daily_candles_come_back_from_other_programs_as_they_were", || round_trips(&DAYS)),
        trial("hourly_candles_come_back_from_other_programs_as_they_were", || round_trips(&HOURS)),
        trial("candles_without_volume_come_back_from_other_programs_as_they_were", || round_trips(&NO_VOLUME)),
    ]
}

/// A series: its symbol, interval, the name of its object and its original text.
struct Series {
    symbol: &'static str,
    interval: &'static str,
    object: &'static str,
    text: &'static str,
    candles: i64,
}

/// Values with many digits, small numbers and an unknown volume, and a day that cleaning fills.
const DAYS: Series = Series {
    symbol: "R/TRIP",
    interval: "1day",
    object: "candles",
    text: "date,open,high,low,close,volume\n2024-12-23,0.00000012,1234567.12345,0.00000012,1.5,1234567890123\n\
           2024-12-24,1.5,2,1.1,2,\n2024-12-27,2,2.5,2,2.25,10.5\n",
    candles: 4,
};

const HOURS: Series = Series {
    symbol: "TRIPHOUR",
    interval: "1h",
    object: "2024-12",
    text: "datetime,open,high,low,close,volume\n2024-12-26T14:30:00Z,1,2,1,1.5,0\n2024-12-26T15:30:00Z,1.5,2,1.1,2,\n\
           2024-12-26T17:30:00Z,2,2.5,2,2.25,10.5\n",
    candles: 4,
};

const NO_VOLUME: Series = Series {
    symbol: "TRIPNONE",
    interval: "1day",
    object: "candles",
    text: "date,open,high,low,close\n2024-12-24,1.5,2,1.1,2\n2024-12-27,2,2.5,2,2.25\n",
    candles: 3,
};

impl Series {
    fn path(&self, stage: &str) -> String {
        let symbol = self.symbol.replace('/', "%2F");
        format!("{stage}/interval={}/symbol={symbol}/{}.csv", self.interval, self.object)
    }

    /// Uploads the text with a calendar, so that missing candles are filled.
    fn load(&self, stack: &Stack) -> anyhow::Result<()> {
        let metadata = Metadata::from([("calendar".to_owned(), "XNYS".to_owned())]);
        let object = NewObject::csv(self.text.into(), metadata);
        stack.run(stack.store().put(&self.path("raw"), object, PutIf::Always))?;
        stack.eventually("the candles", || Ok(stack.rows(self.symbol)? == self.candles))
    }

    fn clean(&self, stack: &Stack) -> anyhow::Result<String> {
        Ok(String::from_utf8(stack.object(&self.path("transformed"))?.body.to_vec())?)
    }

    /// Drops a text, and waits until it is cleaned and loaded.
    fn drop(&self, stack: &Stack, text: &str) -> anyhow::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        let mut command = candlewick(stack.state());
        command.arg("drop").arg(file.path()).args(["--symbol", self.symbol, "--interval", self.interval]);
        let said = succeed(&mut command)?;
        // The filled candle is not counted.
        let same = format!("0 candles new, 0 changed, {} unchanged", self.candles - 1);
        ensure!(said.contains(&same) && !said.contains("quarantined"), "{said}");
        let dropped = stack.object(&self.path("raw"))?.info.etag;
        stack.eventually("the file is cleaned", || {
            let clean = stack.object(&self.path("transformed"))?;
            let origin = TransformedMetadata::read(&clean.info.metadata)?;
            Ok(origin.is_some_and(|origin| origin.raw_etag == dropped))
        })
    }
}

fn round_trips(series: &Series) -> anyhow::Result<()> {
    let stack = Stack::get();
    series.load(stack)?;
    let before = series.clean(stack)?;
    ensure!(
        before.contains(",true\n") && before.contains(",false,false\n"),
        "no filled one, or all with volume: {before}"
    );
    for (name, text) in files(stack, series)? {
        series.drop(stack, &text).with_context(|| format!("{name}:\n{text}"))?;
        let after = series.clean(stack)?;
        ensure!(after == before, "{name}:\n{text}\nbecame\n{after}");
        ensure!(stack.rows(series.symbol)? == series.candles, "{name}");
    }
    let gone = "select count(*) from lost_candles l join objects o on o.id = l.object_id where o.symbol = $1";
    ensure!(stack.count(gone, series.symbol)? == 0, "something was lost");
    Ok(())
}

/// Files of a series as other programs write them, by name.
fn files(stack: &Stack, series: &Series) -> anyhow::Result<Vec<(String, String)>> {
    let export = export(stack, series)?;
    let mut files = vec![("export".to_owned(), export.clone()), ("dashboard".to_owned(), dashboard(stack, series)?)];
    for zone in ["UTC", "America/New_York", "Asia/Kolkata"] {
        for table in ["candles", "bi_candles"] {
            files.push((format!("copy of {table} in {zone}"), copy(stack, series, table, zone)?));
        }
    }
    files.extend(pandas(&export)?.into_iter().map(|text| ("pandas".to_owned(), text)));
    files.extend(spreadsheets(&export).into_iter().map(|text| ("a spreadsheet".to_owned(), text)));
    Ok(files)
}

fn export(stack: &Stack, series: &Series) -> anyhow::Result<String> {
    let arguments = ["export", "--symbol", series.symbol, "--interval", series.interval, "--out", "-"];
    let said = succeed(candlewick(stack.state()).args(arguments))?;
    let begin = said.find("symbol,interval,").context("find the header")?;
    let lines = said[begin..].lines().take_while(|line| line.contains(',')).map(|line| format!("{line}\n"));
    Ok(lines.collect())
}

/// `\copy (select * from …) to … csv header`, by a client in a time zone.
fn copy(stack: &Stack, series: &Series, table: &str, zone: &str) -> anyhow::Result<String> {
    let symbol = series.symbol;
    let interval = series.interval;
    let select = format!("select * from {table} where symbol = '{symbol}' and interval = '{interval}'");
    let pool = stack.pool();
    stack.run(async {
        let mut connection = pool.acquire().await?;
        sqlx::query(AssertSqlSafe(format!("set timezone = '{zone}'"))).execute(&mut *connection).await?;
        let copy = format!("copy ({select}) to stdout (format csv, header)");
        let chunks: Vec<_> = connection.copy_out_raw(&copy).await?.try_collect().await?;
        sqlx::query("reset timezone").execute(&mut *connection).await?;
        Ok(String::from_utf8(chunks.concat())?)
    })
}

fn dashboard(stack: &Stack, series: &Series) -> anyhow::Result<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address = stack.setting("DASHBOARD_URL");
    let symbol = series.symbol.replace('/', "%2F");
    let url = format!("{address}/api/v1/series/{symbol}/{}/candles.csv", series.interval);
    Ok(stack.run(async { reqwest::get(url).await?.error_for_status()?.text().await })?)
}

/// Replaces the cells of each line of a text.
fn each(text: &str, cells: impl Fn(usize, Vec<String>) -> Vec<String>, delimiter: &str) -> String {
    let line = |(at, line): (usize, &str)| cells(at, line.split(',').map(str::to_owned).collect()).join(delimiter);
    text.lines().enumerate().map(line).fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "{line}");
        all
    })
}

/// `read_csv` and `to_csv`: with the index, without it, with parsed times, and with the time as the index. Flags are
/// capitalized words, and small numbers have exponents.
fn pandas(export: &str) -> anyhow::Result<Vec<String>> {
    let plain = each(
        export,
        |at, mut cells| {
            for cell in cells.iter_mut().filter(|_| at > 0) {
                *cell = match cell.as_str() {
                    "true" => "True".to_owned(),
                    "false" => "False".to_owned(),
                    "0.00000012" => "1.2e-07".to_owned(),
                    _ => cell.clone(),
                };
            }
            cells
        },
        ",",
    );
    ensure!(plain.contains("True"), "{plain}");
    let numbered = |at: usize, mut cells: Vec<String>| {
        cells.insert(0, at.checked_sub(1).map(|row| row.to_string()).unwrap_or_default());
        cells
    };
    let floats = |at: usize, mut cells: Vec<String>| {
        // A column with missing values becomes a column of floats.
        if at > 0 {
            cells[7] = if cells[8] == "True" {
                format!("{:?}", cells[7].parse::<f64>().unwrap_or(f64::NAN))
            } else {
                String::new()
            };
        }
        cells
    };
    let of_time = |_: usize, mut cells: Vec<String>| {
        let time = cells.remove(2).replace('T', " ").replace('Z', "+00:00");
        cells.insert(0, if time == "time" { "time".to_owned() } else { time });
        cells
    };
    Ok(vec![each(&plain, numbered, ","), plain.clone(), each(&plain, floats, ","), each(&plain, of_time, ",")])
}

/// Saved by a spreadsheet: flags in capitals, as numbers or as words of another language, other line breaks, a byte
/// order mark, semicolons, quotes, and empty columns and rows after the table.
fn spreadsheets(export: &str) -> Vec<String> {
    let flags = |is: &'static str, is_not: &'static str| {
        move |at: usize, mut cells: Vec<String>| {
            for cell in cells[8..].iter_mut().filter(|_| at > 0) {
                *cell = if cell == "true" { is } else { is_not }.to_owned();
            }
            cells
        }
    };
    let excel = each(export, flags("TRUE", "FALSE"), ",");
    let german = each(export, flags("WAHR", "FALSCH"), ";");
    let quoted = |_: usize, cells: Vec<String>| cells.into_iter().map(|cell| format!("\"{cell}\"")).collect();
    let behind = |_: usize, cells: Vec<String>| [cells, vec![String::new(); 3]].concat();
    vec![
        excel.replace('\n', "\r\n"),
        format!("\u{feff}{}\r\n\r\n", excel.replace('\n', "\r\n")),
        format!("\u{feff}{}", german.replace('\n', "\r\n")),
        each(&excel, quoted, ","),
        format!("{},,,,,,,,,,,,\n", each(&excel, behind, ",")),
        each(export, flags("1", "0"), ","),
        excel.trim_end().replace('\n', "\r"),
    ]
}
