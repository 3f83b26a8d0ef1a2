//! The API answers as its description says: Schemathesis makes requests that fit it and some that do not.
//! Runs if `CANDLEWICK_SCHEMATHESIS` names the program (`pip install --require-hashes -r tests/description/requirements.txt`).

use std::process::Command;

use anyhow::{Context, ensure};
use candlewick_test_support::programs;
use libtest_mimic::Trial;

use crate::stack::Stack;

const PROGRAM: &str = "CANDLEWICK_SCHEMATHESIS";

/// How many requests are made of each operation and kind.
const REQUESTS: &str = "30";

/// Streams never end, and a poll for events waits.
const LEFT_OUT: &str = "events";

pub fn trials() -> Vec<Trial> {
    let has_none = std::env::var_os(PROGRAM).is_none_or(|program| program.is_empty());
    if has_none {
        eprintln!("skipped: {PROGRAM} names no program");
    }
    let all = trials![the_api_answers_as_its_description_says];
    all.into_iter().map(|trial| trial.with_ignored_flag(has_none)).collect()
}

fn the_api_answers_as_its_description_says() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.eventually("AAPL", || Ok(stack.rows("AAPL")? > 0))?;
    let mut command = Command::new(std::env::var_os(PROGRAM).context("find the program")?);
    command.arg("--config-file").arg(programs::root().join("tests/description/schemathesis.toml"));
    command.arg("run").arg(format!("{}/api/openapi.json", stack.setting("DASHBOARD_URL")));
    command.args(["--max-examples", REQUESTS, "--exclude-path-regex", LEFT_OUT, "--seed", "1"]);
    let ran = command.output().context("run Schemathesis")?;
    ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    Ok(())
}
