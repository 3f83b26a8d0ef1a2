//! Runs a service: logs, signals, exit code.

use std::num::NonZeroU64;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::adapters::aws::Aws;
use crate::adapters::ecs::EcsProtection;
use crate::adapters::log_notifier::LogNotifier;
use crate::adapters::queue_notifier::QueueNotifier;
use crate::adapters::system_clock;
use crate::core::topology::{Topology, queue_url_variable};
use crate::ports::notifier::Notifier;
use crate::ports::protection::Protection;
use crate::ports::queue::Queue;
use crate::runtime::command_line::{self, Task};
use crate::runtime::consumer::Consumer;
use crate::runtime::env::Env;
use crate::runtime::health::Health;
use crate::runtime::health_server;
use crate::runtime::losses::MOST_LOST;
use crate::runtime::policy::{CONCURRENCY, Policy};
use crate::runtime::telemetry::Telemetry;
use crate::runtime::topology;

/// Runs a service until it ends or receives SIGTERM or SIGINT. The exit code is 0 after a stop and 1 after an error,
/// which is the last line of the log. If `HEALTH_LISTEN` is set, the service serves its health there.
///
/// [`command_line`] parses the arguments: `--help`, settings as options, and `healthcheck`. The topology is that of
/// `TOPOLOGY`, or else the built-in one.
pub async fn run<F>(name: &'static str, start: impl FnOnce(Env, CancellationToken) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    run_in(None, name, start).await
}

/// Runs a service like [`run`], with a topology that is passed in. `TOPOLOGY` overrides it. It is for programs outside the
/// repository of Candlewick.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use candlewick_shared::core::topology::{Consumer, Topology};
/// use candlewick_shared::runtime::env::Env;
/// use candlewick_shared::runtime::service;
/// use tokio_util::sync::CancellationToken;
///
/// #[tokio::main]
/// async fn main() -> ExitCode {
///     let topology = Topology::built_in().clone().with_consumer("summaries", Consumer::of("transformed/"));
///     service::run_with(topology.expect("the consumer is valid"), "summaries", start).await
/// }
///
/// async fn start(env: Env, stop: CancellationToken) -> anyhow::Result<()> {
///     println!("would work on {} until it is stopped", env.bucket()?);
///     stop.cancelled().await;
///     Ok(())
/// }
/// ```
pub async fn run_with<F>(
    topology: Topology,
    name: &'static str,
    start: impl FnOnce(Env, CancellationToken) -> F,
) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    run_in(Some(topology), name, start).await
}

async fn run_in<F>(
    topology: Option<Topology>,
    name: &'static str,
    start: impl FnOnce(Env, CancellationToken) -> F,
) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    let task = match command_line::parse(name, std::env::args_os()) {
        Ok(task) => task,
        Err(error) => error.exit(),
    };
    let (env, probe) = match task {
        Task::Serve(options) => (options.or(Env::of_process()), None),
        Task::Check(probe) => (Env::of_process(), Some(probe)),
    };
    let result = match Telemetry::start(name, &env) {
        Ok(telemetry) => {
            let result = match probe {
                Some(probe) => health_server::check(&env, probe).await,
                None => until_stopped(topology, name, env, start).await,
            };
            // Stopping blocks until the other threads of the runtime have sent the remaining spans.
            let _ = tokio::task::spawn_blocking(|| telemetry.stop()).await;
            result
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(service = name, "{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn until_stopped<F>(
    topology: Option<Topology>,
    name: &'static str,
    env: Env,
    start: impl FnOnce(Env, CancellationToken) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    topology::adopt(&env, topology)?;
    let stop = CancellationToken::new();
    let health = Health::default();
    stop_on_signals(stop.clone())?;
    let _server = health_server::start(&env, health.clone()).await?;
    health.during(start(env, stop)).await?;
    tracing::info!(service = name, "stopped");
    Ok(())
}

fn stop_on_signals(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}

/// The consumer of the queue with this role, after a check that the queue answers. A consumer of your own is its own stage
/// and role.
///
/// # Errors
///
/// Returns an error if a setting is missing or invalid, or if the queue does not answer.
pub async fn consumer(stage: &'static str, role: &str, env: &Env, aws: &Aws) -> anyhow::Result<Consumer> {
    let topology = Topology::current();
    let known = topology.queue(role).with_context(|| format!("find queue {role} in the topology"))?;
    let url = env.queue_url(role)?;
    let policy = policy(env, known.visibility_timeout())?;
    let queue = aws.queue(url);
    let answer = tokio::time::timeout(Duration::from_secs(15), queue.depth()).await;
    answer
        .context("it did not answer within 15 s")
        .and_then(|depth| depth.map_err(anyhow::Error::from))
        .with_context(|| format!("reach the queue at {url} (is AWS, or LocalStack, up at AWS_ENDPOINT_URL?)"))?;
    Ok(Consumer {
        stage,
        queue: Arc::new(queue),
        dead_letters: Arc::new(aws.queue(&topology.dead_letter_name(url))),
        notifier: notifier(stage, env, aws)?,
        protection: protection(env)?,
        policy,
    })
}

/// The notifier of a service: the alerts queue, or only the log if no queue is configured.
///
/// # Errors
///
/// Returns an error if `CLOCK` is invalid.
pub fn notifier(stage: &'static str, env: &Env, aws: &Aws) -> anyhow::Result<Arc<dyn Notifier>> {
    let variable = queue_url_variable("alerts");
    let Some(url) = env.optional(&variable) else {
        tracing::warn!("{variable} is not set: alerts go to this log only");
        return Ok(Arc::new(LogNotifier));
    };
    let now = system_clock::now(env.clock()?);
    Ok(Arc::new(QueueNotifier::new(stage, Arc::new(aws.queue(url)), now)))
}

/// The policy from the settings: `CONCURRENCY`, how many messages are processed at once ([`CONCURRENCY`]),
/// `LEASE_SECONDS`, how long each is hidden from others at a time (by default the queue's visibility timeout), and
/// `CONSUMERS_LOST`, how many consumers a message may cost ([`MOST_LOST`]).
fn policy(env: &Env, visibility_timeout: Duration) -> anyhow::Result<Policy> {
    let concurrency = env.parsed_or("CONCURRENCY", CONCURRENCY)?;
    let timeout =
        NonZeroU64::new(visibility_timeout.as_secs()).context("find a visibility timeout in topology.json")?;
    let lease = env.parsed_or("LEASE_SECONDS", timeout)?;
    let most_lost = env.parsed_or("CONSUMERS_LOST", MOST_LOST)?;
    Ok(Policy { most_lost, ..Policy::new(concurrency.get(), Duration::from_secs(lease.get())) })
}

/// Only ECS sets `ECS_AGENT_URI`, the address of its agent.
fn protection(env: &Env) -> anyhow::Result<Option<Arc<dyn Protection>>> {
    let Some(agent) = env.optional("ECS_AGENT_URI") else { return Ok(None) };
    Ok(Some(Arc::new(EcsProtection::new(agent)?)))
}
