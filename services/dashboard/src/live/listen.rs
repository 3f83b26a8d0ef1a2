//! Forwards PostgreSQL notifications to the hub.

use std::time::Duration;

use candlewick_shared::adapters::notices;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{Change, Hub};

/// How long to wait before reconnecting.
const PAUSE: Duration = Duration::from_secs(2);

/// Listens until `stop` is cancelled. After a lost connection it publishes a resync, because notifications sent in the
/// meantime are lost.
pub async fn listen(pool: PgPool, hub: Hub, stop: CancellationToken) {
    let mut is_down = false;
    loop {
        let error = tokio::select! {
            () = stop.cancelled() => return,
            ended = listen_once(&pool, &hub, is_down) => ended,
        };
        if let Err(error) = error
            && !is_down
        {
            tracing::warn!("listen to the database: {error}; pages do not update by themselves meanwhile");
        }
        is_down = true;
        if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
            return;
        }
    }
}

async fn listen_once(pool: &PgPool, hub: &Hub, was_down: bool) -> Result<(), sqlx::Error> {
    let mut listener = notices::listen(pool).await?;
    if was_down {
        tracing::info!("listening to the database again");
        hub.publish(Change::Resync {});
    }
    while let Some(notice) = listener.try_recv().await? {
        match serde_json::from_str(notice.payload()) {
            Ok(change) => hub.publish(change),
            Err(error) => {
                tracing::warn!(payload = notice.payload(), "a notice of the database is not understood: {error}")
            }
        }
    }
    Ok(())
}
