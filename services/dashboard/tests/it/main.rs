//! Tests of the dashboard on a real PostgreSQL that this program starts, with one database per test.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

/// One trial per test function, with the same name.
macro_rules! trials {
    ($($test:ident),+ $(,)?) => { vec![$(crate::trial(stringify!($test), $test)),+] };
}

mod attack;
mod candles;
mod dashboards;
mod events;
mod guards;
mod indicators;
mod loaded_events;
mod login;
mod pages;
mod reading;
mod runs;
mod strangers;
mod support;

use std::process::ExitCode;

use libtest_mimic::Trial;

use crate::support::World;

fn main() -> ExitCode {
    candlewick_test_support::run(trials())
}

fn trials() -> Vec<Trial> {
    let all = [
        attack::trials(),
        candles::trials(),
        dashboards::trials(),
        events::trials(),
        guards::trials(),
        indicators::trials(),
        loaded_events::trials(),
        login::trials(),
        pages::trials(),
        reading::trials(),
        runs::trials(),
        strangers::trials(),
    ];
    all.into_iter().flatten().collect()
}

/// A test with its own database and dashboard.
fn trial<F: Future<Output = ()>>(name: &str, test: impl FnOnce(World) -> F + Send + 'static) -> Trial {
    candlewick_test_support::trial(name, || async { test(World::new().await).await })
}
