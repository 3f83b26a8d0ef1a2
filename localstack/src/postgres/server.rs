//! Starts the server on its data and waits for it.

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

/// What the server says of itself in its log when the children of a killed one still hold its memory.
const NOT_YET_GONE: &str = "pre-existing shared memory block";
const CHILDREN_LINGER: Duration = Duration::from_secs(10);
const LINES_SHOWN: usize = 10;

/// Nothing but the loopback, and sizes for a developer's machine; what was committed stays committed.
const OPTIONS: [&str; 6] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=64MB",
    "fsync=on",
    "synchronous_commit=on",
    "log_line_prefix=%m [%p] ",
];

/// Finds or installs the server, creates the data directory once, starts, and waits until the database can be used.
pub async fn start(settings: &Settings, state: &StateDir, progress: &Reporter) -> Result<Postgres, PostgresError> {
    let identity = account::choose(state)?;
    let identity = identity.as_ref();
    let cluster = Cluster::new(account::home(state, identity, progress).await?);
    let binaries = binaries::choose(settings, state, cluster.made_by()?, identity, progress).await?;
    cluster.ensure(&binaries, identity, progress).await?;
    progress.line("postgres", &format!("starting {} from {}", binaries.version, binaries.dir.display()));
    let program = program(&binaries, &cluster, settings.port, identity);
    let password = cluster.password()?;
    let process = launch(&program, settings, state, &cluster, &password).await?;
    progress.line("postgres", &format!("ready on 127.0.0.1:{}", settings.port));
    let Settings { port, database, .. } = settings.clone();
    Ok(Postgres { port, database, version: binaries.version, data: cluster.data(), process, password })
}

/// SIGINT disconnects clients and shuts down in order; SIGQUIT gives that up, and the next start recovers from the log.
fn program(binaries: &Binaries, cluster: &Cluster, port: u16, identity: Option<&Identity>) -> Program {
    let plan = [(Signal::SIGINT, Duration::from_secs(20)), (Signal::SIGQUIT, Duration::from_secs(5))];
    let options = OPTIONS.iter().flat_map(|option| ["-c", option]);
    account::program("postgres", &binaries.postgres(), identity)
        .args(["-p".to_owned(), port.to_string()])
        .args(options)
        .args(["-D".as_ref(), cluster.data().as_path()])
        .stop_by(StopPlan::new(&plan))
}

/// Starts it again for a while when the only obstacle is a killed server's children, who are about to end.
async fn launch(
    program: &Program,
    settings: &Settings,
    state: &StateDir,
    cluster: &Cluster,
    password: &str,
) -> Result<Process, PostgresError> {
    let deadline = Instant::now() + CHILDREN_LINGER;
    loop {
        let process = Process::start(program, state)?;
        match until_ready(&process, settings, cluster, password).await {
            Err(PostgresError::Died { lines, .. }) if lines.contains(NOT_YET_GONE) && Instant::now() < deadline => {
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
    let mut last = String::from("no answer");
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
