//! Candlewick as its users have it. One stack serves the whole run: it is started by the first test that needs it, and the
//! last tests stop it, start it again and stop it for good.

#![allow(clippy::expect_used, reason = "a test fails by it")]

mod bad_input;
mod candles;
mod candlewick;
mod cleaning;
mod layering;
mod restart;
mod secrecy;
mod stack;
mod starting;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Conclusion, Trial};

use crate::stack::Stack;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let alone = layering::trials().into_iter().chain(starting::trials()).chain(cleaning::trials());
    let on_stack = candles::trials().into_iter().chain(bad_input::trials()).chain(secrecy::trials());
    let first = libtest_mimic::run(&arguments, alone.chain(on_stack).collect());
    // These stop what the others stand on, and each begins where the last one ended.
    let in_order = Arguments { test_threads: Some(1), ..arguments };
    let last = libtest_mimic::run(&in_order, restart::trials());
    Stack::stop_if_started();
    code(&first, &last)
}

fn code(first: &Conclusion, last: &Conclusion) -> ExitCode {
    if first.has_failed() || last.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// A test that fails with an error or a panic.
fn trial(name: &str, test: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Trial {
    Trial::test(name, move || test().map_err(|error| format!("{error:?}").into()))
}
