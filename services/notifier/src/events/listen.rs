//! Wakes the relays when something was loaded.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The notification channel of the database.
const CHANNEL: &str = "candlewick";

/// How long to wait before reconnecting.
const PAUSE: Duration = Duration::from_secs(2);

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
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loaded.send_replace(());
    while let Some(notice) = listener.try_recv().await? {
        if notice.payload().contains(r#""kind" : "loaded""#) {
            loaded.send_replace(());
        }
    }
    Ok(())
}
