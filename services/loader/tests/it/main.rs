//! Tests of the loader on a real PostgreSQL that this program starts, with one database per test.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

/// One trial per test function, with the same name.
macro_rules! trials {
    ($($test:ident),+ $(,)?) => { vec![$(crate::trial(stringify!($test), $test)),+] };
}

mod as_of;
mod binary;
mod blame;
mod faults;
mod history;
mod loaded_events;
mod lost;
mod other_objects;
mod overlaps;
mod runs;
mod schema;
mod simulation;
mod support;
mod users;
mod versions;

use std::process::ExitCode;

use libtest_mimic::Trial;

use crate::support::World;

fn main() -> ExitCode {
    candlewick_test_support::run(trials())
}

fn trials() -> Vec<Trial> {
    let all = [
        as_of::trials(),
        other_objects::trials(),
        binary::trials(),
        blame::trials(),
        schema::trials(),
        faults::trials(),
        history::trials(),
        loaded_events::trials(),
        lost::trials(),
        overlaps::trials(),
        runs::trials(),
        simulation::trials(),
        users::trials(),
        versions::trials(),
    ];
    all.into_iter().flatten().collect()
}

/// A test with its own database and bucket.
fn trial<F: Future<Output = ()>>(name: &str, test: impl FnOnce(World) -> F + Send + 'static) -> Trial {
    candlewick_test_support::trial(name, || async { test(World::new().await).await })
}
