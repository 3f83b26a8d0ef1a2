//! What the notifier promises, on a real PostgreSQL that this program starts for itself: a database for each test.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod channels;
mod crashes;
mod digest;
mod intake;
mod runs;
#[path = "../../../loader/tests/it/server.rs"]
mod server;
mod sinks;
mod sweep;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::server::Server;
use crate::world::World;

/// The word by which this program is told to be its own server's watchdog.
const WATCHDOG: &str = "--watch-over";

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().collect();
    if let [_, word, state] = &words[..]
        && word == WATCHDOG
    {
        server::watch_over(&PathBuf::from(state));
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let server = (!arguments.list).then(Server::start);
    let conclusion = libtest_mimic::run(&arguments, trials());
    if let Some(server) = server {
        server.stop();
    }
    conclusion.exit_code()
}

fn trials() -> Vec<Trial> {
    let all =
        [intake::trials(), crashes::trials(), runs::trials(), sweep::trials(), digest::trials(), channels::trials()];
    all.into_iter().flatten().collect()
}

/// A test with a database of its own.
fn trial<F: Future<Output = ()>>(name: &str, test: impl FnOnce(World) -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async { test(World::new().await).await });
        Ok(())
    })
}
