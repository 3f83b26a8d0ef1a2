//! The connector of Data Studio, under Node.js: by itself, and against a running dashboard.

use std::process::Command;

use anyhow::ensure;
use libtest_mimic::Trial;

use crate::candlewick::{finish, root};
use crate::stack::Stack;
use crate::trial;

pub fn trials() -> Vec<Trial> {
    let has_node = has_node();
    if !has_node {
        println!("skipped: the connector of Data Studio, because there is no node of version 20 or newer on PATH");
    }
    let reads =
        trial("the_connector_of_data_studio_reads_the_dashboard", the_connector_of_data_studio_reads_the_dashboard);
    vec![reads.with_ignored_flag(!has_node)]
}

fn the_connector_of_data_studio_reads_the_dashboard() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.eventually("the candles of AAPL", || Ok(stack.rows("AAPL")? > 1_000))?;
    let mut node = Command::new("node");
    node.arg("--test").args(["connector", "live"].map(|name| root().join(format!("datastudio/test/{name}.test.js"))));
    node.env("DASHBOARD_URL", stack.setting("DASHBOARD_URL"));
    let (status, said) = finish(&mut node)?;
    ensure!(status.success(), "{said}");
    ensure!(said.lines().any(|line| line.ends_with("skipped 0")), "a part was left out: {said}");
    Ok(())
}

/// Whether there is a Node.js that can run tests.
fn has_node() -> bool {
    let Ok(said) = Command::new("node").arg("--version").output() else { return false };
    let version = String::from_utf8_lossy(&said.stdout).into_owned();
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major >= 20)
}
