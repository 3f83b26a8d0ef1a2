//! The life of a service: logs, signals, exit code.

use std::num::{NonZeroU64, NonZeroUsize};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::adapters::aws::Aws;
use crate::adapters::ecs::EcsProtection;
use crate::adapters::log_notifier::LogNotifier;
use crate::core::topology::Topology;
use crate::ports::protection::Protection;
use crate::ports::queue::Queue;
use crate::runtime::consumer::{Consumer, Policy};
use crate::runtime::env::Env;

/// Runs a service until it ends or is told to stop (SIGTERM, SIGINT), and says how it went: 0 after a stop, 1 after an
/// error, whose chain is the last thing logged.
pub async fn run<F>(name: &'static str, start: impl FnOnce(Env, CancellationToken) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    init_logs();
    let stop = CancellationToken::new();
    let result = match stop_on_signals(stop.clone()) {
        Ok(()) => start(Env::of_process(), stop).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => {
            tracing::info!(service = name, "stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(service = name, "{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Logs to standard error: lines for people, or JSON where `LOG_FORMAT` is `json`. `RUST_LOG` chooses what is logged.
fn init_logs() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    if Env::of_process().optional("LOG_FORMAT") == Some("json") {
        builder.json().init();
    } else {
        builder.with_ansi(false).init();
    }
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

/// The consumer of the queue with a role, after making sure that the queue answers.
///
/// # Errors
/// A setting that is missing, or a queue that does not answer.
pub async fn consumer(stage: &'static str, role: &str, env: &Env, aws: &Aws) -> anyhow::Result<Consumer> {
    let topology = Topology::built_in();
    let known = topology.queue(role).with_context(|| format!("find queue {role} in topology.json"))?;
    let (url, policy) = (env.queue_url(role)?, policy(env, known.visibility_timeout())?);
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
        notifier: Arc::new(LogNotifier),
        protection: protection(env)?,
        policy,
    })
}

/// The settings of a consumer: `SLOTS`, how many messages it has in hand at once (4), and `LEASE_SECONDS`, how long each is
/// hidden from others at a time (the queue's visibility timeout).
fn policy(env: &Env, visibility_timeout: Duration) -> anyhow::Result<Policy> {
    let slots = env.parsed_or("SLOTS", NonZeroUsize::MIN.saturating_add(3))?;
    let timeout =
        NonZeroU64::new(visibility_timeout.as_secs()).context("find a visibility timeout in topology.json")?;
    let lease = env.parsed_or("LEASE_SECONDS", timeout)?;
    Ok(Policy::new(slots.get(), Duration::from_secs(lease.get())))
}

/// ECS tells its containers where its agent is; nobody else does.
fn protection(env: &Env) -> anyhow::Result<Option<Arc<dyn Protection>>> {
    let Some(agent) = env.optional("ECS_AGENT_URI") else { return Ok(None) };
    Ok(Some(Arc::new(EcsProtection::new(agent)?)))
}
