//! Wakes the relays when something was loaded.

use std::time::Duration;

use candlewick_shared::adapters::notices;
use serde::Deserialize;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long to wait before reconnecting.
const PAUSE: Duration = Duration::from_secs(2);

/// A notice of the database. A later version may have kinds that are not known here.
#[derive(Deserialize)]
struct Notice {
    kind: String,
}

/// Listens until `stop` is cancelled. While the connection is lost the relays read the outbox at intervals.
pub async fn listen(pool: &PgPool, loaded: &watch::Sender<()>, stop: &CancellationToken) {
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = listen_once(pool, loaded) => ended,
        };
        if let Err(error) = ended {
            tracing::warn!("listen to the database: {error}; events are sent with a delay meanwhile");
        }
        if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
            return;
        }
    }
}

async fn listen_once(pool: &PgPool, loaded: &watch::Sender<()>) -> sqlx::Result<()> {
    let mut listener = notices::listen(pool).await?;
    loaded.send_replace(());
    while let Some(notice) = listener.try_recv().await? {
        if serde_json::from_str(notice.payload()).is_ok_and(|Notice { kind }| kind == "loaded") {
            loaded.send_replace(());
        }
    }
    Ok(())
}
