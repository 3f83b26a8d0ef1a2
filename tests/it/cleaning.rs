//! `candlewick clean`: the transform's cleaning without services.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use candlewick_columnar::batch::batch;
use candlewick_columnar::names::Names;
use candlewick_columnar::read::read as read_parquet;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::key::Series;
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::candles::daily;
use crate::candlewick::{finish, program, root};

pub fn trials() -> Vec<Trial> {
    trials![
        a_file_a_gzip_and_stdin_give_the_same_bytes,
        a_vacant_session_is_filled_by_its_calendar,
        a_folder_gets_all_three_outputs_of_each_file,
        a_folder_gets_parquet_too_if_it_is_asked_for,
        passed_thresholds_exit_with_1_and_errors_with_2,
        a_file_that_claims_to_be_older_than_its_candles_is_told_of,
        prices_below_zero_are_candles_where_they_are_allowed,
        what_clean_is_not_told_it_asks_for
    ]
}

/// Sessions on two days before and two days after a missing Friday, around Thanksgiving.
const DAYS: [&str; 4] = ["2024-11-26", "2024-11-27", "2024-12-02", "2024-12-03"];

const CLEANED: &str = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n\
    X,1day,2024-11-26,1,1,1,1,100,true,false\nX,1day,2024-11-27,2,2,2,2,100,true,false\n\
    X,1day,2024-11-29,2,2,2,2,0,true,true\nX,1day,2024-12-02,3,3,3,3,100,true,false\nX,1day,2024-12-03,4,4,4,4,100,true,false\n";

fn clean(dir: &Path) -> Command {
    let mut command = Command::new(program("candlewick"));
    command.current_dir(dir).arg("clean").stdin(Stdio::null());
    command
}

fn folder_with_file() -> anyhow::Result<(TempDir, PathBuf)> {
    let dir = tempfile::tempdir().context("make a directory")?;
    let path = dir.path().join("X.csv");
    std::fs::write(&path, daily(&DAYS)).context("write a file")?;
    Ok((dir, path))
}

const SERIES: [&str; 4] = ["--symbol", "X", "--interval", "1day"];
const RULES: [&str; 4] = ["--calendar", "XNYS", "--as-of", "2024-12-30T22:00:00Z"];

fn stdout(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stderr(Stdio::null()).output().context("run candlewick clean")?;
    String::from_utf8(output.stdout).context("read its output")
}

fn a_file_a_gzip_and_stdin_give_the_same_bytes() -> anyhow::Result<()> {
    let (dir, path) = folder_with_file()?;
    let allow = ["--max-filled", "1"];
    let plain = stdout(clean(dir.path()).arg(&path).args(SERIES).args(RULES).args(allow))?;
    ensure!(plain == CLEANED, "{plain}");
    let mut child = clean(dir.path());
    child
        .arg("-")
        .args(SERIES)
        .args(RULES)
        .args(allow)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = child.spawn().context("run candlewick clean")?;
    child.stdin.take().context("open its input")?.write_all(daily(&DAYS).as_bytes())?;
    ensure!(child.wait_with_output()?.stdout == plain.as_bytes(), "stdin gives other bytes");
    ensure!(Command::new("gzip").arg(&path).status()?.success());
    let gzip = stdout(clean(dir.path()).arg(path.with_extension("csv.gz")).args(SERIES).args(RULES).args(allow))?;
    ensure!(gzip == plain, "a gzip gives other bytes: {gzip}");
    Ok(())
}

fn a_vacant_session_is_filled_by_its_calendar() -> anyhow::Result<()> {
    let (dir, path) = folder_with_file()?;
    let without = stdout(clean(dir.path()).arg(&path).args(SERIES))?;
    ensure!(!without.contains("true,true"), "something was filled without a calendar: {without}");
    let none = stdout(clean(dir.path()).arg(&path).args(SERIES).args(RULES).args(["--max-fill", "0"]))?;
    ensure!(!none.contains("true,true"), "something was filled that should not be: {none}");
    Ok(())
}

fn a_folder_gets_parquet_too_if_it_is_asked_for() -> anyhow::Result<()> {
    let (dir, path) = folder_with_file()?;
    let columnar = ["--max-filled", "1", "--columnar"];
    let (status, said) = finish(clean(dir.path()).arg(&path).args(SERIES).args(RULES).args(columnar))?;
    ensure!(!status.success() && said.contains("--out"), "{said}");
    let (status, said) =
        finish(clean(dir.path()).arg(&path).args(SERIES).args(RULES).args(columnar).args(["--out", "o"]))?;
    ensure!(status.success(), "{said}");
    let read = |name: &str| std::fs::read(dir.path().join(name)).with_context(|| format!("read {name}"));
    ensure!(read("o/transformed/interval=1day/symbol=X/X.csv")? == CLEANED.as_bytes());
    let series = Series { symbol: "X".parse()?, interval: "1day".parse()? };
    let candles = clean_csv::read(CLEANED.as_bytes(), &series)?.candles;
    let parquet = read_parquet(read("o/columnar/interval=1day/symbol=X/X.parquet")?.into())?;
    ensure!(parquet.batches == [batch(&Names::of(std::slice::from_ref(&series)), &series, &candles)?]);
    Ok(())
}

fn a_folder_gets_all_three_outputs_of_each_file() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    for symbol in ["A", "B"] {
        let folder = dir.path().join(format!("raw/interval=1day/symbol={symbol}"));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("candles.csv"), format!("{}2024-12-04,x,1,1,1,5\n", daily(&DAYS)))?;
    }
    let files = ["raw/interval=1day/symbol=A/candles.csv", "raw/interval=1day/symbol=B/candles.csv"];
    let (status, said) = finish(clean(dir.path()).args(files).args(RULES).args([
        "--out",
        "cleaned",
        "--max-quarantined",
        "1",
        "--max-filled",
        "1",
    ]))?;
    ensure!(status.success() && said.contains("2 files"), "{said}");
    for symbol in ["A", "B"] {
        let read = |prefix: &str, extension: &str| {
            let path = dir.path().join(format!("cleaned/{prefix}/interval=1day/symbol={symbol}/candles.{extension}"));
            std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
        };
        ensure!(read("transformed", "csv")? == CLEANED.replace("X,", &format!("{symbol},")));
        ensure!(
            read("quarantine", "csv")?.contains("open") && read("quarantine", "csv")?.contains("2024-12-04,x,1,1,1,5")
        );
        let report: serde_json::Value = serde_json::from_str(&read("reports", "json")?)?;
        ensure!(
            report["rows"]["read"] == 5 && report["rows"]["filled"] == 1 && report["rows"]["kept"] == 4,
            "{report}"
        );
    }
    Ok(())
}

fn passed_thresholds_exit_with_1_and_errors_with_2() -> anyhow::Result<()> {
    let (dir, path) = folder_with_file()?;
    let code = |command: &mut Command| anyhow::Ok(finish(command)?.0.code());
    let passed = code(clean(dir.path()).arg(&path).args(SERIES).args(RULES).args(["--max-filled", "0.01"]))?;
    ensure!(passed == Some(1), "one of five candles is filled: {passed:?}");
    let (status, said) = finish(clean(dir.path()).arg("nowhere.csv").args(SERIES))?;
    ensure!(status.code() == Some(2) && said.contains("nowhere.csv"), "{said}");
    std::fs::write(&path, "open,high,low,close\n1,1,1,1\n")?;
    let (status, said) = finish(clean(dir.path()).arg(&path).args(SERIES))?;
    ensure!(status.code() == Some(2) && said.contains("column \"datetime\" is missing"), "{said}");
    Ok(())
}

fn prices_below_zero_are_candles_where_they_are_allowed() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let oil = root().join("tests/cases/files/wti-negative.csv");
    let (_, said) = finish(clean(dir.path()).arg(&oil).args(SERIES).args(["--out", "out"]))?;
    ensure!(said.contains("2 quarantined") && said.contains("--allow-negative"), "{said}");
    let all = stdout(clean(dir.path()).arg(&oil).args(SERIES).arg("--allow-negative"))?;
    ensure!(all.lines().count() == 5 && all.contains("2020-04-20,17.73,17.85,-40.32,-37.63,247000"), "{all}");
    Ok(())
}

fn what_clean_is_not_told_it_asks_for() -> anyhow::Result<()> {
    let (dir, path) = folder_with_file()?;
    for (arguments, words) in [
        (vec!["--interval", "1day"], "--symbol"),
        (vec!["--symbol", "X"], "--interval"),
        (vec!["--symbol", "X", "--interval", "1day", "--calendar", "NOWHERE"], "NOWHERE"),
    ] {
        let (status, said) = finish(clean(dir.path()).arg(&path).args(&arguments))?;
        ensure!(status.code() == Some(2) && said.contains(words), "{arguments:?}: {said}");
    }
    Ok(())
}

/// An archive gave the file the time of 1980; `--as-of` says when it really was written.
fn a_file_that_claims_to_be_older_than_its_candles_is_told_of() -> anyhow::Result<()> {
    let (dir, path) = folder_with_file()?;
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(10 * 365 * 86_400);
    std::fs::File::options().write(true).open(&path)?.set_modified(long_ago)?;
    let (_, said) = finish(clean(dir.path()).arg(&path).args(SERIES).args(["--calendar", "XNYS"]))?;
    ensure!(said.contains("future") && said.contains("1979-12-30") && said.contains("--as-of"), "{said}");
    let clean_as_of =
        |date| stdout(clean(dir.path()).arg(&path).args(SERIES).args(["--calendar", "XNYS", "--as-of", date]));
    ensure!(clean_as_of("2024-12-03")? == CLEANED, "what a source says of a day it has said by its end");
    ensure!(!clean_as_of("2024-12-02")?.contains("2024-12-03"), "a later candle was kept");
    Ok(())
}
