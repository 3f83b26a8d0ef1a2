//! Starts LocalStack in host mode, without Docker.

mod health;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

use self::health::Health;
use crate::process::{Exit, Process, Program, StopPlan};
use crate::progress::Reporter;
use crate::python::{Environment, Requirements};
use crate::state::StateDir;

/// Sets what LocalStack has no setting for, then starts it.
const LAUNCH: &str = include_str!("localstack/launch.py");

/// What LocalStack needs from PyPI.
pub const REQUIREMENTS: Requirements = Requirements {
    title: "LocalStack 4.12",
    size: "170 MB",
    locks: &[include_str!("../requirements-build.txt"), include_str!("../requirements.txt")],
    prepare: Some(include_str!("localstack/prepare.py")),
    otherwise: "",
};

/// How LocalStack is to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The loopback port of its one endpoint.
    pub port: u16,
    /// The services to offer, by their AWS names: `s3`, `sqs`, `sns`, ….
    pub services: Vec<String>,
    /// How long it may take to get ready.
    pub patience: Duration,
}

/// A LocalStack that is ready.
#[derive(Debug)]
pub struct LocalStack {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub endpoint: String,
    /// Its process, to await and to stop.
    pub process: Process,
}

impl LocalStack {
    /// Starts it and waits until all its services are loaded.
    pub async fn start(
        environment: &Environment,
        settings: &Settings,
        state: &StateDir,
        progress: &Reporter,
    ) -> anyhow::Result<Self> {
        progress.line("localstack", "starting");
        let process = Process::start(&program(environment, settings, state), state)?;
        let health = tokio::select! {
            health = tokio::time::timeout(settings.patience, health::settled(settings.port, &settings.services)) => health,
            exit = process.wait() => return Err(died(&process, exit)),
        };
        if !matches!(health, Ok(Health::Ready)) {
            process.stop().await;
            bail!(not_ready(&process, settings, health.ok()));
        }
        let endpoint = format!("http://127.0.0.1:{}", settings.port);
        progress.line("localstack", &format!("ready on {endpoint} ({})", settings.services.join(", ")));
        Ok(Self { endpoint, process })
    }
}

fn program(environment: &Environment, settings: &Settings, state: &StateDir) -> Program {
    let address = format!("127.0.0.1:{}", settings.port);
    Program::new("localstack", environment.python())
        .args(["-I", "-c", LAUNCH])
        .clean_env()
        .dir(state.root())
        // It has nothing to save.
        .stop_by(StopPlan::term(Duration::from_secs(5)))
        .env("SERVICES", settings.services.join(","))
        .env("EAGER_SERVICE_LOADING", "1")
        .env("GATEWAY_LISTEN", &address)
        // Queue addresses then work without a name server that knows localhost.localstack.cloud.
        .env("LOCALSTACK_HOST", &address)
        .env("SQS_ENDPOINT_STRATEGY", "path")
        .env("FILESYSTEM_ROOT", filesystem(state))
        // In a container it would otherwise take itself for its own image, and the whole file system for its own.
        .env("OVERRIDE_IN_DOCKER", "0")
        .env("DISABLE_EVENTS", "1")
        .env("SKIP_SSL_CERT_DOWNLOAD", "1")
        .env("DNS_ADDRESS", "0")
}

/// LocalStack keeps its caches here; objects and queues it forgets.
fn filesystem(state: &StateDir) -> PathBuf {
    state.root().join("localstack")
}

fn died(process: &Process, exit: Exit) -> anyhow::Error {
    anyhow::anyhow!("LocalStack ended before it was ready ({exit}); {}", end_of_log(process))
}

fn not_ready(process: &Process, settings: &Settings, health: Option<Health>) -> String {
    let what = match health {
        Some(Health::Missing(services)) => format!("LocalStack cannot serve {}", services.join(", ")),
        _ => format!("LocalStack was not ready within {} s", settings.patience.as_secs()),
    };
    format!("{what} and was stopped; {}", end_of_log(process))
}

fn end_of_log(process: &Process) -> String {
    format!("the end of its log ({}):\n{}", process.log().display(), process.last_lines(15).join("\n"))
}

/// Whether a LocalStack on the port has all these services loaded; an error where nothing answers.
pub async fn is_ready(port: u16, services: &[String]) -> anyhow::Result<bool> {
    let health = health::ask(port, services).await;
    Ok(health.with_context(|| format!("ask LocalStack on port {port} for its health"))? == Health::Ready)
}
