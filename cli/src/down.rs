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

/// How long an `up` may take to stop: its services finish what they have in hand.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stops everything that `up` started here, and nothing else. What is stored in .local stays for the next `up`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(place: &Place, Args {}: Args) -> anyhow::Result<ExitCode> {
    if !place.state.exists() {
        terminal::result("nothing has run here");
        return Ok(ExitCode::SUCCESS);
    }
    let state = StateDir::open(&place.state)?;
    let asked = ask_to_stop(&state).await?;
    let _lock = state.lock().await.context("take the state directory")?;
    let leftovers = leftovers::stop(&state).await?;
    for leftover in &leftovers {
        terminal::result(&format!(
            "{} (process {}) was left over: {:?}",
            leftover.name, leftover.pid, leftover.outcome
        ));
    }
    terminal::result(match (asked, leftovers.is_empty()) {
        (false, true) => "nothing is running",
        _ => "stopped",
    });
    Ok(ExitCode::SUCCESS)
}

/// Has the `up` that holds the state directory stop, and waits for it. Returns whether there was one.
async fn ask_to_stop(state: &StateDir) -> anyhow::Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    let mut asked = false;
    loop {
        match state.lock().await {
            Ok(_) => return Ok(asked),
            Err(LockError::Held { pid, .. }) if !asked => {
                let id: i32 = pid.parse().context("read the process id of `up`")?;
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
