//! DuckDB and Polars read `transformed/` as one table, with and without volumes, in one call over the whole prefix. They
//! and pyarrow read exports and `columnar/` with every digit of the table.
//! Runs if `CANDLEWICK_READERS_PYTHON` names a Python that has them (`pip install --require-hashes -r
//! tests/readers/requirements.txt`).

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use candlewick_test_support::programs;
use libtest_mimic::Trial;

use crate::candlewick::{candlewick, succeed};
use crate::export;
use crate::stack::Stack;

const PYTHON: &str = "CANDLEWICK_READERS_PYTHON";

pub fn trials() -> Vec<Trial> {
    trials![
        clean_objects_with_and_without_volume_read_as_one_table,
        exports_have_the_values_of_the_table_in_every_reader,
        the_python_package_reads_every_source_and_drops_frames,
        the_examples_of_the_guide_run_as_they_are_printed
    ]
}

/// Symbol, interval, and a file: with a volume in every row, in some rows or in no row; with dates and with instants.
const FILES: [(&str, &str, &str); 4] = [
    ("WITH", "1day", "date,open,high,low,close,volume\n2024-12-26,1.1,2,1,1.5,10\n2024-12-27,1.5,2.5,1,2,20.5\n"),
    ("SOME", "1day", "date,open,high,low,close,volume\n2024-12-26,1,2,1,1.5,\n2024-12-27,1,2,1,1.5,7\n"),
    ("NONE", "1day", "date,open,high,low,close\n2024-12-26,1,2,1,1.5\n"),
    ("BTC/USD", "1min", "datetime,open,high,low,close,volume\n2024-12-27T14:30:00Z,1,2,1,1.5,0.25\n"),
];

/// The Python with the readers, if there is one.
fn python() -> Option<OsString> {
    let python = std::env::var_os(PYTHON).filter(|python| !python.is_empty());
    if python.is_none() {
        // The harness shows the output that a trial writes to the process's own streams.
        eprintln!("skipped: {PYTHON} names no Python that has DuckDB, Polars and pyarrow");
    }
    python
}

/// What a script of `tests/readers` prints.
fn run(python: &OsStr, script: &str, arguments: &[&Path], environment: &[(&str, &Path)]) -> anyhow::Result<String> {
    let script = programs::root().join("tests/readers").join(script);
    let mut command = Command::new(python);
    command.arg(script).args(arguments).env("PYTHONPATH", programs::root().join("python/src"));
    for variable in ["BUCKET", "DATABASE_URL", "DASHBOARD_URL", "AWS_ENDPOINT_URL"] {
        command.env_remove(variable);
    }
    let ran = command.envs(environment.iter().copied()).output().context("run Python")?;
    ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).context("read what it printed")
}

fn clean_objects_with_and_without_volume_read_as_one_table() -> anyhow::Result<()> {
    let Some(python) = python() else { return Ok(()) };
    let out = tempfile::tempdir()?;
    for (symbol, interval, text) in FILES {
        let path = out.path().join("file.csv");
        std::fs::write(&path, text).context("write a file")?;
        let mut command = candlewick(out.path());
        command.arg("clean").arg(path).args(["--symbol", symbol, "--interval", interval, "--as-of", "2024-12-30"]);
        succeed(command.arg("--out").arg(out.path()))?;
    }
    let found = run(&python, "one_table.py", &[&out.path().join("transformed")], &[])?;
    let wanted = "[6.0, 4.0, 37.75, 4.0]";
    ensure!(found.lines().eq([wanted, wanted]), "rows, rows with a volume, their volume and symbols: {found}");
    Ok(())
}

/// Loads a series with values that a float would change, and waits for one that the simulator has.
fn load(stack: &Stack) -> anyhow::Result<()> {
    if stack.rows("READ/USD")? == 0 {
        stack.put("raw/interval=1day/symbol=READ%2FUSD/candles.csv", export::EXACT)?;
    }
    stack.eventually("the rows", || Ok(stack.rows("READ/USD")? == 3))?;
    stack.eventually("the candles of AAPL", || Ok(stack.rows("AAPL")? > 1_000))
}

fn the_python_package_reads_every_source_and_drops_frames() -> anyhow::Result<()> {
    let Some(python) = python() else { return Ok(()) };
    let stack = Stack::get();
    load(stack)?;
    let found = run(&python, "package.py", &[], &[("CANDLEWICK_ENV", &stack.state().join("env"))])?;
    ensure!(found.lines().count() == 5 && found.lines().all(|line| line.ends_with("ok")), "{found}");
    stack.eventually("the dropped frame", || Ok(stack.rows("PY/DROP")? == 2))?;
    let digits = "select count(*) from candles where symbol = $1 and close = 2.00000000000000000001";
    ensure!(stack.count(digits, "PY/DROP")? == 1, "a digit was lost");
    Ok(())
}

fn exports_have_the_values_of_the_table_in_every_reader() -> anyhow::Result<()> {
    let Some(python) = python() else { return Ok(()) };
    let stack = Stack::get();
    load(stack)?;
    let out = tempfile::tempdir()?;
    let files = ["csv", "parquet", "arrow"].map(|format| out.path().join(format!("all.{format}")));
    for file in &files {
        let mut command = candlewick(stack.state());
        command.args(["export", "--symbol", "READ/USD", "--symbol", "AAPL", "--out"]);
        succeed(command.arg(file))?;
    }
    let found = run(&python, "exports.py", &files.each_ref().map(|file| file.as_path()), &[])?;
    ensure!(found.lines().count() == 5 && found.lines().all(|line| line.ends_with("equal")), "{found}");
    Ok(())
}

fn the_examples_of_the_guide_run_as_they_are_printed() -> anyhow::Result<()> {
    let Some(python) = python() else { return Ok(()) };
    let stack = Stack::get();
    load(stack)?;
    let out = tempfile::tempdir()?;
    for name in ["candles.parquet", "candles.arrow"] {
        let mut command = candlewick(stack.state());
        command.args(["export", "--symbol", "READ/USD", "--symbol", "AAPL", "--out"]);
        succeed(command.arg(out.path().join(name)))?;
    }
    let page = programs::root().join("docs/query.md");
    let settings = stack.settings();
    let environment: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), Path::new(value))).collect();
    let found = run(&python, "query.py", &[&page, out.path()], &environment)?;
    let ran = found.lines().filter(|line| line.ends_with("rows")).count();
    ensure!(ran >= 8, "only {ran} examples ran:\n{found}");
    Ok(())
}
