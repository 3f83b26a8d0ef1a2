//! Starts the TwelveData simulator.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpStream;

use crate::process::{Process, Program};
use crate::state::StateDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// Starts the simulator and waits until it listens.
pub(super) async fn start(programs: &Path, port: u16, clock: &str, state: &StateDir) -> anyhow::Result<Process> {
    let address = format!("127.0.0.1:{port}");
    let program = Program::new("simulator", programs.join("candlewick-simulator"));
    let program = program.clean_env().args(["--listen", &address]).env("CLOCK", clock);
    let process = Process::start(&program, state)?;
    tokio::select! {
        ready = tokio::time::timeout(PATIENCE, listens(&address)) => match ready {
            Ok(()) => Ok(process),
            Err(_) => {
                process.stop().await;
                bail!("the simulator did not listen on {address} within {} s", PATIENCE.as_secs())
            }
        },
        exit = process.wait() => {
            let log = process.last_lines(5).join("\n");
            Err(anyhow::anyhow!("it exited ({exit}):\n{log}")).context("start the simulator")
        }
    }
}

async fn listens(address: &str) {
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
