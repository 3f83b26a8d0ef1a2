//! Candlewick as its users have it. One stack serves the whole run: the first test that needs it starts it, and the
//! last tests stop it, start it again and stop it for good.

#![allow(clippy::expect_used, reason = "a test fails by it")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a run says what it skips, and why")]

/// One trial per test function, with the same name.
macro_rules! trials {
    ($($test:ident),+ $(,)?) => { vec![$(crate::trial(stringify!($test), $test)),+] };
}

mod accessibility;
mod alerts;
mod bad_input;
mod browser;
mod candles;
mod candlewick;
mod chart;
mod cleaning;
mod collector;
mod command;
mod comparing;
mod consumers;
mod contract;
mod dashboard;
mod data_studio;
mod description;
mod doctor;
mod documents;
mod dropping;
mod events;
mod export;
mod failure_modes;
mod faults;
mod file_examples;
mod files;
mod layering;
mod metrics;
mod operations;
mod own_dashboards;
mod published;
mod readers;
mod reconcile_alert;
mod restart;
mod round_trips;
mod runs;
mod secrecy;
mod stack;
mod starting;
mod supply_chain;
mod tabs;
mod telemetry;
mod terraform;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Conclusion, Trial};

use crate::stack::Stack;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if let [_, word, state] = &words[..]
        && word == faults::WATCHDOG
    {
        return if faults::watch_over(Path::new(state)).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let arguments = Arguments::from_args();
    // The longest tests come first, so that the others run at the same time.
    let on_stack = [
        faults::trials(),
        contract::trials(),
        candles::trials(),
        bad_input::trials(),
        alerts::trials(),
        dropping::trials(),
        file_examples::trials(),
        files::trials(),
        round_trips::trials(),
        readers::trials(),
        description::trials(),
        dashboard::trials(),
        own_dashboards::trials(),
        chart::trials(),
        comparing::trials(),
        tabs::trials(),
        accessibility::trials(),
        data_studio::trials(),
        export::trials(),
        runs::trials(),
        secrecy::trials(),
        telemetry::trials(),
        metrics::trials(),
    ];
    let alone = [
        layering::trials(),
        failure_modes::trials(),
        documents::trials(),
        starting::trials(),
        cleaning::trials(),
        command::trials(),
        terraform::trials(),
        supply_chain::trials(),
        published::trials(),
    ];
    let first = libtest_mimic::run(&arguments, on_stack.into_iter().chain(alone).flatten().collect());
    // These tests turn off or stop what the others need, and each starts where the previous one ended.
    let in_order = Arguments { test_threads: Some(1), ..arguments };
    let disturbing = operations::trials().into_iter().chain(reconcile_alert::trials());
    let disturbing =
        disturbing.chain(doctor::trials()).chain(consumers::trials()).chain(events::trials()).chain(restart::trials());
    let last = libtest_mimic::run(&in_order, disturbing.collect());
    browser::stop_if_started();
    consumers::stop_if_started();
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
