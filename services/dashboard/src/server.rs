//! The listening socket, and its end.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use candlewick_shared::runtime::health::{Health, State};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long connections may take to end when the service is told to stop: shorter than what stops it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves until it is told to stop; what is being answered then is answered.
///
/// # Errors
/// An address that cannot be listened on.
pub async fn serve(address: SocketAddr, router: Router, stop: CancellationToken) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("listen on {address} (is another program there? DASHBOARD_LISTEN names another address)")
    })?;
    Health::of_this_service().report("pages", State::Ready);
    tracing::info!("ready on http://{}", listener.local_addr().context("read the own address")?);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let told = stop.clone();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move { told.cancelled().await });
    tokio::select! {
        ended = serving.into_future() => ended.context("serve"),
        () = async { stop.cancelled().await; tokio::time::sleep(PATIENCE).await } => {
            tracing::warn!("some connections did not end within {} s", PATIENCE.as_secs());
            Ok(())
        }
    }
}
