//! The connector of Data Studio, under Node.js: by itself, and against the dashboard that runs.

use std::process::Command;

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::candlewick::{finish, root};
use crate::stack::Stack;
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![trial("the_connector_of_data_studio_reads_the_dashboard", the_connector_reads_the_dashboard)]
}

#[allow(clippy::print_stderr, reason = "who runs the tests is to know")]
fn the_connector_reads_the_dashboard() -> anyhow::Result<()> {
    if !has_node()? {
        eprintln!("the connector of Data Studio is not tested: there is no `node` on PATH (version 20 or newer)");
        return Ok(());
    }
    let stack = Stack::get();
    stack.eventually("the candles of AAPL", || Ok(stack.rows("AAPL")? > 1_000))?;
    let mut node = Command::new("node");
    node.arg("--test").args(["connector", "live"].map(|name| root().join(format!("datastudio/test/{name}.test.js"))));
    if let Some(url) = stack.settings().get("DASHBOARD_URL") {
        node.env("DASHBOARD_URL", url);
    }
    let (status, said) = finish(&mut node)?;
    ensure!(status.success(), "{said}");
    Ok(())
}

/// Whether there is a Node.js that can run tests.
fn has_node() -> anyhow::Result<bool> {
    let Ok(said) = Command::new("node").arg("--version").output() else { return Ok(false) };
    let version = String::from_utf8(said.stdout).context("read the version of node")?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    Ok(major.is_some_and(|major| major >= 20))
}
