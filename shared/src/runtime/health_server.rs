//! Serves the health and the metrics of a service over HTTP, and checks the health of a running service.
//!
//! `HEALTH_LISTEN` is the address, such as 127.0.0.1:8080; if it is not set, nothing listens. A container checks its
//! health with the service's own `healthcheck` command, because its image has no other program.

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

const LISTEN: &str = "HEALTH_LISTEN";

/// How long a health check waits for an answer. Docker and ECS check every few seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What a health check asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Whether the process answers. Orchestrators replace a process that fails this check.
    Live,
    /// Whether the service receives work and its dependencies answer. Whatever must start after the service waits for
    /// this.
    Ready,
}

impl Probe {
    const fn path(self) -> &'static str {
        match self {
            Self::Live => "/livez",
            Self::Ready => "/readyz",
        }
    }
}

/// The routes that every service has.
fn routes(health: Health) -> Router {
    let routes = Router::new().route(Probe::Live.path(), get(|| async { "alive\n" }));
    routes.route(Probe::Ready.path(), get(readyz)).route("/metrics", get(metrics)).with_state(health)
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    let (is_ready, parts) = health.readiness();
    (if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, parts)
}

/// The metrics in the text format of Prometheus, or 404 if they are exported elsewhere.
async fn metrics() -> Result<String, StatusCode> {
    telemetry::render().ok_or(StatusCode::NOT_FOUND)
}

/// Listens at the address in `HEALTH_LISTEN`, if it is set, until the handle is dropped.
///
/// # Errors
///
/// Returns an error if the address is invalid or cannot be listened on.
pub async fn start(env: &Env, health: Health) -> anyhow::Result<Option<AbortOnDropHandle<()>>> {
    let Some(address) = address(env)? else { return Ok(None) };
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("listen on {address}, which {LISTEN} asks for"))?;
    let serving = async move {
        if let Err(error) = axum::serve(listener, routes(health)).await {
            tracing::error!("the health server stopped: {error}");
        }
    };
    Ok(Some(AbortOnDropHandle::new(tokio::spawn(serving))))
}

fn address(env: &Env) -> anyhow::Result<Option<SocketAddr>> {
    let Some(text) = env.optional(LISTEN) else { return Ok(None) };
    text.parse().map(Some).with_context(|| format!("{LISTEN} is {text:?}: write ADDRESS:PORT, such as 127.0.0.1:8080"))
}

/// Checks whether the service that listens at `HEALTH_LISTEN` is alive or ready.
///
/// # Errors
///
/// Returns an error if there is no address or no answer, or with the body of an answer whose status is not 200.
pub async fn check(env: &Env, probe: Probe) -> anyhow::Result<()> {
    let address =
        address(env)?.with_context(|| format!("{LISTEN} is not set, so the service serves its health nowhere"))?;
    ask(address, probe.path()).await
}

/// Requests a path from a server on this machine. A plain request on the loopback interface needs no HTTP client.
///
/// # Errors
///
/// Returns an error if there is no answer, or with its body if the status is not 200.
pub async fn ask(listening: SocketAddr, path: &str) -> anyhow::Result<()> {
    let address = SocketAddr::new(loopback(listening.ip()), listening.port());
    let answer = tokio::time::timeout(ANSWER_WITHIN, exchange(address, path)).await;
    let answer = answer.with_context(|| format!("{address} did not answer within {} s", ANSWER_WITHIN.as_secs()))?;
    let answer = answer.with_context(|| format!("request {path} from {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) != Some("200") {
        bail!("{path} of {address} reports a failure: {}", body.trim_end().replace('\n', ", "));
    }
    Ok(())
}

/// A server that listens on every address also listens on the loopback address.
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
