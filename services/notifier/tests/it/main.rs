//! What the notifier promises, on a real PostgreSQL that this program starts for itself: a database for each test.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

/// One trial per test function, named like it.
macro_rules! trials {
    ($($test:ident),+ $(,)?) => { vec![$(crate::trial(stringify!($test), $test)),+] };
}

mod channels;
mod crashes;
mod digest;
mod events;
mod intake;
mod runs;
mod sinks;
mod support;
mod sweep;

use std::process::ExitCode;

use libtest_mimic::Trial;

use crate::support::World;

fn main() -> ExitCode {
    candlewick_test_support::run(trials())
}

fn trials() -> Vec<Trial> {
    let all = [
        intake::trials(),
        crashes::trials(),
        events::trials(),
        runs::trials(),
        sweep::trials(),
        digest::trials(),
        channels::trials(),
    ];
    all.into_iter().flatten().collect()
}

/// A test with a database of its own.
fn trial<F: Future<Output = ()>>(name: &str, test: impl FnOnce(World) -> F + Send + 'static) -> Trial {
    candlewick_test_support::trial(name, || async { test(World::new().await).await })
}
