//! DuckDB and Polars read `transformed/` as one table, with and without volumes, in one call over the whole prefix.
//! Runs if `CANDLEWICK_READERS_PYTHON` names a Python that has them (`pip install --require-hashes -r
//! tests/readers/requirements.txt`).

use std::process::Command;

use anyhow::{Context, ensure};
use candlewick_testbed::programs;
use libtest_mimic::Trial;

use crate::candlewick::{candlewick, succeed};

const PYTHON: &str = "CANDLEWICK_READERS_PYTHON";

pub fn trials() -> Vec<Trial> {
    trials![clean_objects_with_and_without_volume_read_as_one_table]
}

/// Symbol, interval, and a file: with a volume in every row, in some rows or in no row; with dates and with instants.
const FILES: [(&str, &str, &str); 4] = [
    ("WITH", "1day", "date,open,high,low,close,volume\n2024-12-26,1.1,2,1,1.5,10\n2024-12-27,1.5,2.5,1,2,20.5\n"),
    ("SOME", "1day", "date,open,high,low,close,volume\n2024-12-26,1,2,1,1.5,\n2024-12-27,1,2,1,1.5,7\n"),
    ("NONE", "1day", "date,open,high,low,close\n2024-12-26,1,2,1,1.5\n"),
    ("BTC/USD", "1min", "datetime,open,high,low,close,volume\n2024-12-27T14:30:00Z,1,2,1,1.5,0.25\n"),
];

fn clean_objects_with_and_without_volume_read_as_one_table() -> anyhow::Result<()> {
    let Some(python) = std::env::var_os(PYTHON) else {
        // The harness shows the output that a trial writes to the process's own streams.
        eprintln!("skipped: {PYTHON} names no Python that has DuckDB and Polars");
        return Ok(());
    };
    let out = tempfile::tempdir()?;
    for (symbol, interval, text) in FILES {
        let path = out.path().join("file.csv");
        std::fs::write(&path, text).context("write a file")?;
        let mut command = candlewick(out.path());
        command.arg("clean").arg(path).args(["--symbol", symbol, "--interval", interval, "--as-of", "2024-12-30"]);
        succeed(command.arg("--out").arg(out.path()))?;
    }
    let script = programs::root().join("tests/readers/one_table.py");
    let read = Command::new(python).arg(script).arg(out.path().join("transformed")).output().context("run Python")?;
    let (found, error) = (String::from_utf8(read.stdout)?, String::from_utf8_lossy(&read.stderr));
    ensure!(read.status.success(), "{error}");
    let wanted = "[6.0, 4.0, 37.75, 4.0]";
    ensure!(found.lines().eq([wanted, wanted]), "rows, rows with a volume, their volume and symbols: {found}");
    Ok(())
}
