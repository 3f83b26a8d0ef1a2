//! The dashboard under measure: what it sends, how soon a chart is drawn, and how many responses it gives per second,
//! compared with what the same query takes in PostgreSQL alone.
//!
//! `cargo bench -p candlewick-tests --bench dashboard` builds the programs, starts a PostgreSQL of its own and the dashboard,
//! fills in 1,260 days and 500,000 minutes of AAPL, and stops both. `-- --rounds N --seconds N` change how often and how long
//! is measured; `cargo test -p candlewick-tests --bench dashboard -- --rounds 1 --seconds 1` tries it on a debug build. What
//! is not there (`wrk`, `pgbench`, Chromium with its driver) is left out, and a line says so. Each round asks the API and
//! PostgreSQL, or our page and the chart library alone, one after the other; what is printed are the rounds, their medians
//! and ratios.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to tell"
)]

mod answers;
mod bytes;
mod chart;
mod lists;
mod peer;
mod series;
mod support;
mod window;

use std::path::PathBuf;

use candlewick_test_support::figures::option;

use crate::support::Environment;

/// How much is measured.
pub struct Extent {
    /// How often each thing is measured.
    pub rounds: usize,
    /// How many seconds the API and PostgreSQL are each asked for.
    pub seconds: usize,
}

impl Extent {
    fn from_args() -> Self {
        Self { rounds: option("--rounds", 3), seconds: option("--seconds", 10) }
    }
}

#[tokio::main]
async fn main() {
    let extent = Extent::from_args();
    let environment = Environment::start().await;
    println!("PostgreSQL {}, {} days and {} minutes", environment.postgres.version, series::DAYS, series::MINUTES);
    bytes::measure(&environment).await;
    chart::measure(&environment, &extent).await;
    answers::measure(&environment, &extent).await;
    lists::measure(&environment, &extent).await;
    environment.stop().await;
}

/// Where a program is; none, and a line that says so, where it is not on PATH.
pub fn program(name: &str, what: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file());
    if found.is_none() {
        println!("skipped: {what}, because {name} is not on PATH");
    }
    found
}
