//! The shared base of the services' tests and benchmarks: a PostgreSQL that the test program starts for itself, with
//! one database per test, a bucket in memory, and the workspace's programs.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

pub mod bucket;
pub mod figures;
pub mod lives;
pub mod mutations;
pub mod programs;
pub mod server;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::server::Server;

/// The argument that makes a test program the watchdog of its own server.
const WATCHDOG: &str = "--watch-over";

/// Runs trials with a server, which is started unless the trials are only listed.
#[must_use]
pub fn run(trials: Vec<Trial>) -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if let [_, word, state] = &words[..]
        && word == WATCHDOG
    {
        server::watch_over(Path::new(state));
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let server = (!arguments.list).then(Server::start);
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(server) = server {
        server.stop();
    }
    conclusion.exit_code()
}

/// A test on its own runtime.
pub fn trial<F: Future<Output = ()>>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(test());
        Ok(())
    })
}
