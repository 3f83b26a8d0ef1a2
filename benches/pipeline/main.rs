//! The way from a raw object to its rows, against the floor that the same LocalStack and PostgreSQL allow, and against the
//! same two hops in Python.
//!
//! `cargo bench -p candlewick-tests --bench pipeline` builds the programs, starts LocalStack and PostgreSQL of its own, and
//! stops them. `-- --files N --rounds N --latencies N --python` change how much is measured; `--python` also measures the
//! worker of `peers/worker.py`, for which it installs boto3, pandas and psycopg from PyPI under .local/. Each round measures
//! the floor and Candlewick one after the other; what is printed are the rounds, their medians and ratios.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to tell"
)]

mod bare;
mod drops;
mod files;
mod peer;
mod processes;
mod refresh;
mod support;

use candlewick_test_support::figures::option;

use crate::bare::Bare;
use crate::support::Environment;

/// How much is measured.
pub struct Extent {
    /// How many files are dropped at once.
    pub files: usize,
    /// How often floor and Candlewick are measured in turn.
    pub rounds: usize,
    /// How many files go one at a time.
    pub latencies: usize,
    /// Whether the worker in Python is measured too.
    pub python: bool,
}

impl Extent {
    fn from_args() -> Self {
        Self {
            files: option("--files", 500),
            rounds: option("--rounds", 3),
            latencies: option("--latencies", 100),
            python: std::env::args_os().any(|arg| arg == "--python"),
        }
    }
}

#[tokio::main]
async fn main() {
    let extent = Extent::from_args();
    let mut environment = Environment::start().await;
    // The floor puts what Candlewick would: one file through the services tells what that is.
    environment.start_services();
    let sample = files::sample(&environment).await;
    refresh::measure(&environment).await;
    environment.stop_services().await;

    let bare = Bare::new(&environment, sample);
    let mut floors = Vec::new();
    let mut ours = Vec::new();
    for round in 0..extent.rounds {
        floors.push(bare.drop(&environment, &format!("F{round}"), &extent).await);
        environment.start_services();
        ours.push(drops::measure(&environment, &format!("C{round}"), &extent, &environment.services()).await);
        environment.stop_services().await;
    }
    drops::report(&extent, &floors, &ours);
    if extent.python {
        peer::measure(&environment, &extent).await;
    }
    environment.stop().await;
}
