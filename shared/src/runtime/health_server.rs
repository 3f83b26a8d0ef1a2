//! Tells the health and the metrics of a service over HTTP, and asks for the former.
//!
//! `HEALTH_LISTEN` is the address, such as 127.0.0.1:8080; without it nothing listens. A container asks by the service's
//! own `healthcheck` command: its image has no other program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use crate::runtime::env::Env;
use crate::runtime::health::Health;
use crate::runtime::telemetry;

/// The variable with the address.
const LISTEN: &str = "HEALTH_LISTEN";

/// How long the health check waits for an answer. Docker and ECS ask every few seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What a health check wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Whether the process answers: an orchestrator that replaces what fails it asks this.
    Live,
    /// Whether it receives work, and what that work needs answers: what waits for it asks this.
    Ready,
}

impl Probe {
    /// The path that answers.
    const fn path(self) -> &'static str {
        match self {
            Self::Live => "/livez",
            Self::Ready => "/readyz",
        }
    }
}

/// Everything that a service tells about itself, whatever it does.
fn routes(health: Health) -> Router {
    let routes = Router::new().route(Probe::Live.path(), get(|| async { "alive\n" }));
    routes.route(Probe::Ready.path(), get(readyz)).route("/metrics", get(metrics)).with_state(health)
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    let (is_ready, parts) = health.readiness();
    (if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, parts)
}

/// In the text format of Prometheus; 404 where metrics go elsewhere.
async fn metrics() -> Result<String, StatusCode> {
    telemetry::render().ok_or(StatusCode::NOT_FOUND)
}

/// Listens where `HEALTH_LISTEN` says, for as long as the handle lives.
///
/// # Errors
/// An address that is none, or that cannot be listened on.
pub async fn start(env: &Env, health: Health) -> anyhow::Result<Option<AbortOnDropHandle<()>>> {
    let Some(address) = address(env)? else { return Ok(None) };
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("listen on {address}, which {LISTEN} asks for"))?;
    let serving = async move {
        if let Err(error) = axum::serve(listener, routes(health)).await {
            tracing::error!("health is told no longer: {error}");
        }
    };
    Ok(Some(AbortOnDropHandle::new(tokio::spawn(serving))))
}

fn address(env: &Env) -> anyhow::Result<Option<SocketAddr>> {
    let Some(text) = env.optional(LISTEN) else { return Ok(None) };
    text.parse().map(Some).with_context(|| format!("{LISTEN} is {text:?}: write ADDRESS:PORT, such as 127.0.0.1:8080"))
}

/// Asks the service that listens at `HEALTH_LISTEN` whether it is alive, or ready.
///
/// # Errors
/// No address, no answer, or an answer that says that it is not, with what it said.
pub async fn check(env: &Env, probe: Probe) -> anyhow::Result<()> {
    let address =
        address(env)?.with_context(|| format!("{LISTEN} is not set: the service tells its health nowhere"))?;
    ask(address, probe.path()).await
}

/// Asks a server on this machine for a path: one plain request on the loopback, for which an HTTP client is too much.
///
/// # Errors
/// No answer, or one whose status is not 200, with its body.
pub async fn ask(listening: SocketAddr, path: &str) -> anyhow::Result<()> {
    let address = SocketAddr::new(loopback(listening.ip()), listening.port());
    let answer = tokio::time::timeout(ANSWER_WITHIN, exchange(address, path)).await;
    let answer = answer.with_context(|| format!("{address} did not answer within {} s", ANSWER_WITHIN.as_secs()))?;
    let answer = answer.with_context(|| format!("ask {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) != Some("200") {
        bail!("{address} does not say yes to {path}: {}", body.trim_end().replace('\n', ", "));
    }
    Ok(())
}

/// What listens on every address listens on the loopback too.
fn loopback(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        named => named,
    }
}

async fn exchange(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
