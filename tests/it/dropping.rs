//! `candlewick drop` checks files before it uploads them, and the owner is notified of every loss of candles.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use candlewick_shared::core::metadata::{Metadata, TransformedMetadata};
use candlewick_shared::core::report::{AsOfFrom, Report};
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use libtest_mimic::Trial;

use crate::alerts::Sink;
use crate::candles::daily;
use crate::candlewick::{candlewick, fail, finish, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        drop_tells_of_candles_that_a_file_would_take_away_and_an_alert_of_those_that_it_took,
        drop_asks_a_person_at_a_terminal,
        drop_says_what_a_file_changes,
        drop_does_not_put_what_cannot_be_read,
        drop_puts_a_file_of_no_usable_row_only_if_that_is_meant,
        drop_compares_a_gzip_with_the_plain_file_whose_place_it_takes,
        drop_counts_what_another_month_has_as_no_loss,
        drop_tells_of_a_file_in_flight,
        a_dropped_file_has_no_gaps_in_the_future_of_a_simulated_clock,
        drop_says_what_lies_in_the_future,
        drop_does_not_put_two_files_in_one_place,
        drop_takes_the_symbol_from_a_name_or_a_column_where_that_is_plain,
        drop_says_why_no_row_of_an_intraday_file_is_usable,
        drop_keeps_what_is_said_of_the_stamps_in_each_month,
        drop_reads_instants_of_sessions_by_the_calendar_that_it_is_told
    ]
}

/// Ten days that are all over when the simulated clock starts.
const DAYS: [&str; 10] = [
    "2024-12-02",
    "2024-12-03",
    "2024-12-04",
    "2024-12-05",
    "2024-12-06",
    "2024-12-09",
    "2024-12-10",
    "2024-12-11",
    "2024-12-12",
    "2024-12-13",
];

fn file(stack: &Stack, name: &str, body: impl AsRef<[u8]>) -> anyhow::Result<PathBuf> {
    let path = stack.state().join(name);
    std::fs::write(&path, body).context("write a file")?;
    Ok(path)
}

fn key(symbol: &str) -> String {
    format!("raw/interval=1day/symbol={symbol}/candles.csv")
}

/// The command that drops a text as a daily file.
fn drop(stack: &Stack, symbol: &str, body: impl AsRef<[u8]>) -> anyhow::Result<Command> {
    let path = file(stack, &format!("{symbol}.csv"), body)?;
    let mut command = candlewick(stack.state());
    command.arg("drop").arg(path).args(["--symbol", symbol, "--interval", "1day"]);
    Ok(command)
}

/// Drops ten days, and waits until they are rows.
fn ten_days(stack: &Stack, symbol: &str) -> anyhow::Result<()> {
    succeed(&mut drop(stack, symbol, daily(&DAYS))?)?;
    stack.eventually("ten rows", || Ok(stack.rows(symbol)? == 10))
}

fn drop_tells_of_candles_that_a_file_would_take_away_and_an_alert_of_those_that_it_took() -> anyhow::Result<()> {
    let stack = Stack::get();
    let sink = Sink::get();
    ten_days(stack, "TAKEN")?;
    let before = stack.object(&key("TAKEN"))?;
    let said = fail(&mut drop(stack, "TAKEN", daily(&DAYS[..4]))?)?;
    ensure!(said.contains("0 candles new, 0 changed, 4 unchanged"), "{said}");
    let lost = "6 real candles (2024-12-06 to 2024-12-13) would be lost: nothing was put. Add --yes";
    ensure!(said.contains(lost), "{said}");
    ensure!(stack.object(&key("TAKEN"))?.info == before.info && stack.rows("TAKEN")? == 10, "something was put");

    succeed(drop(stack, "TAKEN", daily(&DAYS[..4]))?.arg("--yes"))?;
    stack.eventually("four rows", || Ok(stack.rows("TAKEN")? == 4))?;
    stack.eventually("word of it", || Ok(sink.told("candles_lost", "firing", "TAKEN 1day").is_some()))?;
    let told = sink.told("candles_lost", "firing", "TAKEN 1day").context("find the message")?;
    let text = told["text"].as_str().context("read its text")?;
    ensure!(text.starts_with("6 of 10 real candles (60.00 %, where 5.00 % is allowed) are gone"), "{text}");
    ensure!(text.contains("2024-12-06 to 2024-12-13: a file at") && text.contains(&before.info.etag), "{text}");
    ensure!(told["class"] == "replaced" && told["key"] == key("TAKEN"), "{told}");
    Ok(())
}

/// Runs a command in its own terminal and types a text into it.
fn at_a_terminal(command: &Command, typed: &str) -> anyhow::Result<(bool, String)> {
    const TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let answers = tempfile::NamedTempFile::new().context("make a file")?;
    std::fs::write(answers.path(), typed)?;
    let mut terminal = Command::new("python3");
    terminal.args(["-c", TERMINAL]).arg(command.get_program()).args(command.get_args());
    terminal.stdin(Stdio::from(std::fs::File::open(answers.path())?));
    let (status, said) = finish(&mut terminal)?;
    Ok((status.success(), said))
}

fn drop_asks_a_person_at_a_terminal() -> anyhow::Result<()> {
    let stack = Stack::get();
    ten_days(stack, "ASKED")?;
    let command = drop(stack, "ASKED", daily(&DAYS[..9]))?;
    for no in ["n\n", "\n", "\u{4}"] {
        let (done, said) = at_a_terminal(&command, no)?;
        ensure!(!done && said.contains("Put it all the same? [y/N]") && said.contains("nothing was put"), "{said}");
    }
    ensure!(stack.rows("ASKED")? == 10);
    let (done, said) = at_a_terminal(&command, "y\n")?;
    ensure!(done && said.contains("candles.csv: put"), "{said}");
    stack.eventually("nine rows", || Ok(stack.rows("ASKED")? == 9))
}

/// Compares the counts of new, changed and lost candles in the output with those of the ledger afterwards.
fn drop_says_what_a_file_changes() -> anyhow::Result<()> {
    let stack = Stack::get();
    ten_days(stack, "CHANGED")?;
    let body = daily(&DAYS[..9]).replace("2024-12-03,2,2,2,2", "2024-12-03,3,3,3,3") + "2024-12-16,9,9,9,9,100\n";
    let said = succeed(drop(stack, "CHANGED", body)?.arg("--yes"))?;
    let expected = "CHANGED 1day: 1 candles new, 1 changed, 8 unchanged; 1 real candle (2024-12-13) would be lost";
    ensure!(said.contains(expected), "{said}");
    let loaded = "select count(*) from objects where symbol = $1 and (rows_inserted, rows_updated, rows_unchanged,
        rows_removed) = (1, 1, 8, 1)";
    stack.eventually("the same in the ledger", || Ok(stack.count(loaded, "CHANGED")? == 1))?;
    let again = succeed(&mut drop(stack, "CHANGED", std::fs::read(stack.state().join("CHANGED.csv"))?)?)?;
    ensure!(again.contains("0 candles new, 0 changed, 10 unchanged"), "{again}");
    Ok(())
}

fn drop_does_not_put_what_cannot_be_read() -> anyhow::Result<()> {
    let stack = Stack::get();
    for (body, words) in [
        (&b""[..], "is empty"),
        (b"date,open,high,low\n2024-12-27,1,2,1\n", "close"),
        (b"<html><body>busy</body></html>", "nothing was put"),
        (b"\x00\x01\x02\x03", "nothing was put"),
    ] {
        let said = fail(drop(stack, "UNREADABLE", body)?.arg("--yes"))?;
        ensure!(said.contains(words) && said.contains("nothing was put"), "{said}");
    }
    let mut from_stdin = candlewick(stack.state());
    from_stdin.args(["drop", "-", "--symbol", "UNREADABLE", "--interval", "1day"]);
    let said = fail(&mut from_stdin)?;
    ensure!(said.contains("standard input is empty: nothing was put"), "{said}");
    let head = stack.run(stack.store().head(&key("UNREADABLE")))?;
    ensure!(head.is_none(), "it was put");
    Ok(())
}

fn drop_puts_a_file_of_no_usable_row_only_if_that_is_meant() -> anyhow::Result<()> {
    let stack = Stack::get();
    ten_days(stack, "USELESS")?;
    let before = stack.object(&key("USELESS"))?;
    for body in ["date,open,high,low,close,volume\n", "date,open,high,low,close\n2024-12-27,x,1,1,1\n"] {
        let said = fail(&mut drop(stack, "USELESS", body)?)?;
        ensure!(said.contains("nothing was put. Add --yes"), "{said}");
    }
    ensure!(stack.object(&key("USELESS"))?.info == before.info && stack.rows("USELESS")? == 10, "something was put");
    Ok(())
}

fn drop_compares_a_gzip_with_the_plain_file_whose_place_it_takes() -> anyhow::Result<()> {
    let stack = Stack::get();
    ten_days(stack, "TWIN")?;
    let plain = file(stack, "TWIN.csv", daily(&DAYS[..9]))?;
    ensure!(Command::new("gzip").arg("-f").arg(&plain).status()?.success());
    let mut command = candlewick(stack.state());
    command.arg("drop").arg(plain.with_extension("csv.gz")).args(["--symbol", "TWIN", "--interval", "1day"]);
    let said = fail(&mut command)?;
    ensure!(said.contains("1 real candle (2024-12-13) would be lost"), "{said}");
    ensure!(said.contains(&format!("comes from {}, which this file would supersede", key("TWIN"))), "{said}");
    succeed(command.arg("--yes"))?;
    stack.eventually("nine rows", || Ok(stack.rows("TWIN")? == 9))
}

/// An hour that another month's file also has then belongs to that file.
fn drop_counts_what_another_month_has_as_no_loss() -> anyhow::Result<()> {
    let stack = Stack::get();
    let seam = "2024-11-30 23:00:00";
    let own = "2024-12-02 10:00:00";
    stack.put("raw/interval=1h/symbol=SEAM/2024-11.csv", hours(&["2024-11-29 10:00:00", seam]))?;
    stack.eventually("two rows", || Ok(stack.rows("SEAM")? == 2))?;
    let drop = |name: &str, times: &[&str]| -> anyhow::Result<Command> {
        let mut command = candlewick(stack.state());
        command.arg("drop").arg(file(stack, name, hours(times))?);
        command.args(["--symbol", "SEAM", "--interval", "1h", "--month", "2024-12"]);
        Ok(command)
    };
    let said = succeed(&mut drop("seam-1.csv", &[seam, own])?)?;
    ensure!(said.contains("1 candles new, 0 changed, 1 unchanged"), "{said}");
    stack.eventually("three rows", || Ok(stack.rows("SEAM")? == 3))?;
    let said = succeed(&mut drop("seam-2.csv", &[own])?)?;
    ensure!(said.contains("0 candles new, 0 changed, 2 unchanged"), "{said}");
    let loaded = "select count(*) from objects where symbol = $1 and key like '%2024-12.csv' and rows_total = 1";
    stack.eventually("the smaller file", || Ok(stack.count(loaded, "SEAM")? == 1))?;
    ensure!(
        stack.rows("SEAM")? == 3
            && stack.count(
                "select count(*) from lost_candles l join objects o
        on o.id = l.object_id where o.symbol = $1",
                "SEAM"
            )? == 0,
        "something was lost"
    );
    Ok(())
}

/// A rejected file at the raw key says nothing about what the store has.
fn drop_tells_of_a_file_in_flight() -> anyhow::Result<()> {
    let stack = Stack::get();
    ten_days(stack, "FLIGHT")?;
    stack.put(&key("FLIGHT"), "date,open\n2024-12-27,1\n")?;
    stack.dead_letter("RAW_DLQ_URL", "FLIGHT")?;
    let said = succeed(&mut drop(stack, "FLIGHT", daily(&DAYS))?)?;
    ensure!(said.contains("0 candles new, 0 changed, 10 unchanged"), "{said}");
    ensure!(said.contains("is not cleaned yet, or was given up"), "{said}");
    Ok(())
}

fn report(stack: &Stack, symbol: &str) -> anyhow::Result<Report> {
    let object = stack.object(&format!("transformed/interval=1day/symbol={symbol}/candles.csv"))?;
    let origin =
        TransformedMetadata::read(&object.info.metadata)?.context("find the origin of a transformed object")?;
    Ok(*origin.report.context("find a report in the metadata")?)
}

fn a_dropped_file_has_no_gaps_in_the_future_of_a_simulated_clock() -> anyhow::Result<()> {
    let stack = Stack::get();
    // The last session is on the day on which the simulated clock starts, an hour after the close.
    let body = daily(&["2024-12-26", "2024-12-27", "2024-12-30", "2025-01-02"]);
    let metadata = Metadata::from([("calendar".to_owned(), "XNYS".to_owned())]);
    let object = NewObject::csv(body.into_bytes(), metadata);
    stack.run(stack.store().put(&key("NOFUTURE"), object, PutIf::Always))?;
    stack.eventually("three rows", || Ok(stack.rows("NOFUTURE")? == 3))?;
    let report = report(stack, "NOFUTURE")?;
    ensure!(report.gaps.is_empty(), "{report:?}");
    ensure!(report.source.as_of.starts_with("2024-12-3"), "{report:?}");
    ensure!(report.source.as_of_from == AsOfFrom::WrittenSimulated, "{report:?}");
    ensure!(report.rows.quarantined["future"] == 1, "{report:?}");
    Ok(())
}

fn drop_says_what_lies_in_the_future() -> anyhow::Result<()> {
    let stack = Stack::get();
    // Without a calendar, a daily candle is complete when the day is over. Days that have not started are left out
    // anyway.
    let said = fail(drop(stack, "FUTURE", daily(&["2025-06-02", "2025-06-03"]))?.args(["--as-of", "2026-01-01"]))?;
    ensure!(said.contains("--as-of 2026-01-02T00:00:00Z is in the future: it is 2024-12-3"), "{said}");
    let said = fail(&mut drop(stack, "FUTURE", daily(&["2025-06-02", "2025-06-03"]))?)?;
    ensure!(said.contains("none of the 2 rows is a candle") && said.contains("simulator's clock"), "{said}");
    // As of the evening of the ninth, the tenth has not happened yet.
    let said = succeed(drop(stack, "FUTURE", daily(&DAYS[..7]))?.args(["--as-of", "2024-12-09"]))?;
    ensure!(said.contains("6 candles new"), "{said}");
    stack.eventually("six rows", || Ok(stack.rows("FUTURE")? == 6))?;
    ensure!(report(stack, "FUTURE")?.source.as_of == "2024-12-10T00:00:00Z");
    Ok(())
}

/// Follows the advice of the error message.
fn drop_reads_instants_of_sessions_by_the_calendar_that_it_is_told() -> anyhow::Result<()> {
    let stack = Stack::get();
    let text = std::fs::read(crate::candlewick::root().join("tests/cases/files/tradingview-unix-time-daily.csv"))?;
    let said = fail(&mut drop(stack, "SESSIONS", &text)?)?;
    ensure!(said.contains("if a session opens then, name the exchange with --calendar XNYS"), "{said}");
    let said = fail(drop(stack, "SESSIONS", &text)?.args(["--calendar", "NYSE"]))?;
    ensure!(said.contains("no calendar is known by the name \"NYSE\""), "{said}");
    succeed(drop(stack, "SESSIONS", &text)?.args(["--calendar", "XNYS"]))?;
    let days = "select count(*) from candles where symbol = $1 and close = 101 + (time::date - date '2024-01-02')";
    stack.eventually("four days", || Ok(stack.count(days, "SESSIONS")? == 4))?;
    Ok(())
}

/// A command that drops files as they are named.
fn drop_files(stack: &Stack, files: &[&PathBuf], options: &[&str]) -> Command {
    let mut command = candlewick(stack.state());
    command.arg("drop").args(files).args(options);
    command
}

fn in_folder(stack: &Stack, folder: &str, name: &str, body: impl AsRef<[u8]>) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(stack.state().join(folder)).context("make a folder")?;
    file(stack, &format!("{folder}/{name}"), body)
}

/// A file of hours.
fn hours(times: &[&str]) -> String {
    let rows: String = times.iter().map(|time| format!("{time},1,1,1,1,5\n")).collect();
    format!("datetime,open,high,low,close,volume\n{rows}")
}

fn drop_does_not_put_two_files_in_one_place() -> anyhow::Result<()> {
    let stack = Stack::get();
    let one = in_folder(stack, "places-one", "PLACED.csv", daily(&DAYS[..5]))?;
    let other = in_folder(stack, "places-two", "placed.txt", daily(&DAYS[5..]))?;
    for options in [&["--interval", "1day"][..], &["--interval", "1day", "--preview"], &["--interval", "1day", "--yes"]]
    {
        let said = fail(&mut drop_files(stack, &[&one, &other], options))?;
        let expected = format!("{} and {} would both become PLACED 1day: join them", one.display(), other.display());
        ensure!(said.contains(&expected) && said.contains("Nothing was put"), "{said}");
    }
    let january =
        in_folder(stack, "places-one", "PLACEDH.csv", hours(&["2024-01-30 10:00:00", "2024-02-01 10:00:00"]))?;
    let february = in_folder(stack, "places-two", "placedh.csv", hours(&["2024-02-02 10:00:00"]))?;
    let said = fail(&mut drop_files(stack, &[&january, &february], &["--interval", "1h"]))?;
    ensure!(said.contains("would both become PLACEDH 1h 2024-02: join them"), "{said}");
    for key in [key("PLACED"), "raw/interval=1h/symbol=PLACEDH/2024-01.csv".to_owned()] {
        ensure!(stack.run(stack.store().head(&key))?.is_none(), "{key} was put");
    }
    // The same file, named placed, is one file.
    succeed(&mut drop_files(stack, &[&one, &one], &["--interval", "1day"]))?;
    stack.eventually("five rows", || Ok(stack.rows("PLACED")? == 5))
}

fn drop_takes_the_symbol_from_a_name_or_a_column_where_that_is_plain() -> anyhow::Result<()> {
    let stack = Stack::get();
    let with_column = "symbol,date,open,high,low,close\nCOLUMNED,2024-12-02,1,2,1,2\nCOLUMNED,2024-12-03,1,2,1,2\n";
    let path = in_folder(stack, "names", "export (1).csv", with_column)?;
    succeed(&mut drop_files(stack, &[&path], &["--interval", "1day"]))?;
    stack.eventually("two rows", || Ok(stack.rows("COLUMNED")? == 2))?;
    let path = in_folder(stack, "names", "minutes.csv", daily(&DAYS))?;
    let said = fail(&mut drop_files(stack, &[&path], &["--interval", "1day"]))?;
    ensure!(said.contains("neither its name nor a column says the symbol: add --symbol AAPL"), "{said}");
    let path = in_folder(stack, "names", "EURUSD60.csv", hours(&["2024-01-30 10:00:00", "2024-01-30 11:00:00"]))?;
    let said = succeed(&mut drop_files(stack, &[&path], &["--preview"]))?;
    ensure!(said.contains("EURUSD 1h 2024-01: 2 candles new"), "{said}");
    let said = fail(&mut drop_files(stack, &[&path], &["--interval", "1day"]))?;
    ensure!(said.contains("the name says 1h, and --interval says 1day: add --symbol EURUSD if"), "{said}");
    Ok(())
}

fn drop_says_why_no_row_of_an_intraday_file_is_usable() -> anyhow::Result<()> {
    let stack = Stack::get();
    let body = "datetime,open,high,low,close\n2024-01-30,1,1,1,1\n2024-01-30 10:00:00,x,1,1,1\n";
    let path = in_folder(stack, "unusable", "UNUSABLE.csv", body)?;
    let said = fail(&mut drop_files(stack, &[&path], &["--interval", "1h"]))?;
    let expected =
        "none of the 2 rows is a candle (1 other_interval, 1 unreadable): nothing was replaced. Line 2, time";
    ensure!(said.contains(expected) && said.contains("name its month with --month 2024-01"), "{said}");
    Ok(())
}

/// Of the candle that ends with January, only its start tells the month.
fn drop_keeps_what_is_said_of_the_stamps_in_each_month() -> anyhow::Result<()> {
    let stack = Stack::get();
    let rows = ["31.01.2024 23:00", "01.02.2024 00:00", "01.02.2024 01:00"].map(|time| format!("{time};1;1;1;1;5\n"));
    let path =
        in_folder(stack, "stamped", "STAMPED.csv", format!("Date;Open;High;Low;Close;Volume\n{}", rows.concat()))?;
    succeed(&mut drop_files(stack, &[&path], &["--interval", "1h", "--stamped", "end"]))?;
    let expected = "select count(*) from candles where symbol = $1 and time in
        ('2024-01-31 22:00Z', '2024-01-31 23:00Z', '2024-02-01 00:00Z')";
    stack.eventually("three hours", || Ok(stack.count(expected, "STAMPED")? == 3))?;
    ensure!(stack.rows("STAMPED")? == 3, "there are other rows");
    Ok(())
}
