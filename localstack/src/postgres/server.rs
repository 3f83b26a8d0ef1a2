//! Starts the server and waits until it is ready.

use std::time::{Duration, Instant};

use super::binaries::{self, Binaries};
use super::cluster::Cluster;
use super::error::PostgresError;
use super::running::Postgres;
use super::settings::{ROLE, Settings};
use super::{account, ready};
use crate::process::{Exit, Identity, Process, Program, Signal, StopPlan};
use crate::progress::Reporter;
use crate::state::StateDir;

/// The server logs this if child processes of a killed server still use the shared memory.
const SHARED_MEMORY_IN_USE: &str = "pre-existing shared memory block";
const ORPHAN_PATIENCE: Duration = Duration::from_secs(10);
const LINES_SHOWN: usize = 10;

/// Listens on the loopback only and uses little memory, but does not give up durability.
const OPTIONS: [&str; 6] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=64MB",
    "fsync=on",
    "synchronous_commit=on",
    "log_line_prefix=%m [%p] ",
];

/// Finds or installs the server programs, creates the data directory if necessary, starts the server, and waits until the
/// database can be used.
pub async fn start(settings: &Settings, state: &StateDir, progress: &Reporter) -> Result<Postgres, PostgresError> {
    let identity = account::choose(state)?;
    let identity = identity.as_ref();
    let cluster = Cluster::new(account::ensure_home(state, identity, progress).await?);
    let binaries = binaries::choose(settings, state, cluster.existing_data()?, identity, progress).await?;
    cluster.ensure(&binaries, identity, progress).await?;
    progress.line("postgres", &format!("starting {} from {}", binaries.version, binaries.dir.display()));
    let program = program(&binaries, &cluster, settings.port, identity);
    let password = cluster.password()?;
    let process = launch(&program, settings, state, &cluster, &password).await?;
    progress.line("postgres", &format!("ready on 127.0.0.1:{}", settings.port));
    let Settings { port, database, .. } = settings.clone();
    Ok(Postgres { port, database, version: binaries.version, data: cluster.data(), process, password })
}

/// SIGINT disconnects clients and shuts down cleanly. SIGQUIT exits at once, and the next start recovers from the write-ahead
/// log.
fn program(binaries: &Binaries, cluster: &Cluster, port: u16, identity: Option<&Identity>) -> Program {
    let plan = [(Signal::SIGINT, Duration::from_secs(20)), (Signal::SIGQUIT, Duration::from_secs(5))];
    let options = OPTIONS.iter().flat_map(|option| ["-c", option]);
    account::program("postgres", &binaries.postgres(), identity)
        .args(["-p".to_owned(), port.to_string()])
        .args(options)
        .args(["-D".as_ref(), cluster.data().as_path()])
        .stop_by(StopPlan::new(&plan))
}

/// Starts the server. Retries for [`ORPHAN_PATIENCE`] if child processes of a killed server, which are about to exit, are the
/// only obstacle.
async fn launch(
    program: &Program,
    settings: &Settings,
    state: &StateDir,
    cluster: &Cluster,
    password: &str,
) -> Result<Process, PostgresError> {
    let deadline = Instant::now() + ORPHAN_PATIENCE;
    loop {
        let process = Process::start(program, state)?;
        match until_ready(&process, settings, cluster, password).await {
            Err(PostgresError::Died { lines, .. })
                if lines.contains(SHARED_MEMORY_IN_USE) && Instant::now() < deadline =>
            {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(error) => {
                process.stop().await;
                return Err(error);
            }
            Ok(()) => return Ok(process),
        }
    }
}

async fn until_ready(
    process: &Process,
    settings: &Settings,
    cluster: &Cluster,
    password: &str,
) -> Result<(), PostgresError> {
    let options = ready::options(settings.port, ROLE, password);
    let mut last = String::from("no response");
    let connection = tokio::select! {
        connected = tokio::time::timeout(settings.patience, ready::connect(&options, &mut last)) => connected,
        exit = process.wait() => return Err(died(process, exit)),
    };
    match connection {
        Err(_) => Err(late(process, settings, last)),
        Ok(None) => Err(PostgresError::WrongPassword { port: settings.port, password: cluster.password_file() }),
        Ok(Some(connection)) => Ok(ready::ensure_database(connection, &settings.database).await?),
    }
}

fn died(process: &Process, exit: Exit) -> PostgresError {
    PostgresError::Died { exit, log: process.log().to_owned(), lines: process.last_lines(LINES_SHOWN).join("\n") }
}

fn late(process: &Process, settings: &Settings, last: String) -> PostgresError {
    PostgresError::Late { seconds: settings.patience.as_secs(), last, log: process.log().to_owned() }
}
