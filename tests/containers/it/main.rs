//! Candlewick as containers: LocalStack, PostgreSQL, the simulator and the services' images on a private network, which
//! the first test starts and all tests share.
//!
//! They need a Docker engine and the images that `tests/containers/images` builds. If either is missing, this program
//! says so and runs no tests.

#![allow(clippy::expect_used, reason = "a test fails by it")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a run says what it skips, and why")]

/// One trial per test function, with the same name.
macro_rules! trials {
    ($($test:ident),+ $(,)?) => { vec![$(crate::trial(stringify!($test), $test)),+] };
}

mod engine;
mod faults;
mod flow;
mod hardening;
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::support::World;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let Err(reason) = engine::is_usable() {
        println!("skipped: the tests of containers: {reason:#}");
        return ExitCode::SUCCESS;
    }
    // Tests run one after the other because each disturbs what the others check.
    let in_order = Arguments { test_threads: Some(1), ..arguments };
    let trials = flow::trials().into_iter().chain(hardening::trials()).chain(faults::trials());
    let conclusion = libtest_mimic::run(&in_order, trials.collect());
    World::stop_if_started();
    conclusion.exit_code()
}

/// A test that fails with an error or a panic.
fn trial(name: &str, test: fn(&'static World) -> anyhow::Result<()>) -> Trial {
    Trial::test(name, move || test(World::get()).map_err(|error| format!("{error:?}").into()))
}
