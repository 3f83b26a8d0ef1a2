//! `candlewick down`: stops what `up` started.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use candlewick_localstack::process::leftovers;
use candlewick_localstack::state::{LockError, StateDir};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::place::Place;
use crate::terminal;

/// How long `up` may take to stop: its services finish their current messages.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stops everything that `up` started here, and nothing else.
///
/// It waits up to a minute while the services finish their current messages. It also stops programs that a killed `up`
/// left running. The data in .local stays for the next `up`.
///
/// Exit codes: 0 if nothing runs any more, also if nothing was running; 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(place: &Place, Args {}: Args) -> anyhow::Result<ExitCode> {
    if !place.state.exists() {
        terminal::result("nothing was ever started here");
        return Ok(ExitCode::SUCCESS);
    }
    let state = StateDir::open(&place.state)?;
    let was_running = ask_to_stop(&state).await?;
    let _lock = state.lock().await.context("lock the state directory")?;
    let leftovers = leftovers::stop(&state).await?;
    for leftover in &leftovers {
        terminal::result(&format!(
            "{} (process {}) was left running: {:?}",
            leftover.name, leftover.pid, leftover.outcome
        ));
    }
    terminal::result(match (was_running, leftovers.is_empty()) {
        (false, true) => "nothing is running",
        _ => "stopped",
    });
    Ok(ExitCode::SUCCESS)
}

/// Asks the `up` that holds the state directory to stop, and waits for it. Returns whether one was running.
async fn ask_to_stop(state: &StateDir) -> anyhow::Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    let mut asked = false;
    loop {
        match state.lock().await {
            Ok(_) => return Ok(asked),
            Err(LockError::Held { pid, .. }) if !asked => {
                let id: i32 = pid.parse().context("parse the process id of `up`")?;
                kill(Pid::from_raw(id), Signal::SIGTERM).with_context(|| format!("ask process {pid} to stop"))?;
                asked = true;
            }
            Err(LockError::Held { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await
            }
            Err(error) => bail!(error),
        }
    }
}
