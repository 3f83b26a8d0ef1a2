//! The listening socket, its connections, and graceful shutdown.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use candlewick_shared::runtime::health::{Health, Readiness};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::client;
use crate::connection::{Answering, Patience, Timed};
use crate::places::Places;
use crate::refusals::Refusals;

/// How long connections may take to close on shutdown: less than the time until the service is killed.
const UNTIL_CLOSED: Duration = Duration::from_secs(10);

/// How long to pause after a failed accept: usually the process has run out of file descriptors.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The maximum size of a request head. The cookies of a load balancer's login take up to 16 KiB of it.
const MOST_OF_A_HEAD: usize = 64 * 1024;

/// The limits of the server for its clients.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The connections that may be open.
    pub places: Places,
    /// How slow a client may be.
    pub patience: Patience,
}

/// Serves until `stop` is cancelled, and then finishes the responses in progress.
pub async fn serve(address: SocketAddr, router: Router, limits: Limits, stop: CancellationToken) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("listen on {address} (is another program there? DASHBOARD_LISTEN names another address)")
    })?;
    Health::of_this_service().report("pages", Readiness::Ready);
    tracing::info!("ready on http://{}", listener.local_addr().context("read the own address")?);
    serve_on(listener, router, limits, stop).await;
    Ok(())
}

/// Serves the connections of a listener until `stop` is cancelled.
pub async fn serve_on(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let refusals = Refusals::default();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("accept a connection: {error}");
                let _ = stop.run_until_cancelled(tokio::time::sleep(AFTER_FAILURE)).await;
                continue;
            }
        };
        let Some(place) = limits.places.take(client::network(peer.ip())) else {
            if let Some(silent) = refusals.next() {
                tracing::warn!(%peer, silent, "a connection is refused: as many are open as may be");
            }
            continue;
        };
        let router = router.clone();
        let patience = limits.patience;
        let stop = stop.clone();
        connections.spawn(async move {
            connection(stream, peer, router, patience, stop).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(UNTIL_CLOSED, connections.wait()).await.is_err() {
        tracing::warn!("some connections did not end within {} s", UNTIL_CLOSED.as_secs());
    }
}

/// Serves one connection. An error ends it and is not logged, because it concerns only the client.
async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, patience: Patience, stop: CancellationToken) {
    // Disables Nagle's algorithm: small responses would otherwise wait for the acknowledgement of earlier data.
    let _ = stream.set_nodelay(true);
    let answering = Answering::default();
    let io = TokioIo::new(Timed::new(stream, patience, answering.clone()));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        answering.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {})) }
    });
    let mut serving = std::pin::pin!(http1::Builder::new().max_buf_size(MOST_OF_A_HEAD).serve_connection(io, service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, "a connection ended: {error}");
    }
}
