//! Records the credits of the day in the database, where the dashboard reads them.

use std::time::Duration;

use candlewick_shared::adapters::postgres_credits::PostgresCredits;
use tokio_util::sync::CancellationToken;

use crate::credits::pool::CreditPool;

/// How long changes are gathered: a large plan spends many credits a second.
const PAUSE: Duration = Duration::from_secs(2);

/// Records the credits whenever they have changed, until `stop` is cancelled. A record that fails is made up for by the next.
pub async fn record(credits: CreditPool, records: PostgresCredits, stop: CancellationToken) {
    let mut recorded = None;
    while !stop.is_cancelled() {
        let changed = credits.changed();
        let today = credits.today();
        if recorded != Some(today) {
            match records.record(today).await {
                Ok(()) => recorded = Some(today),
                Err(error) => tracing::warn!("failed to record the credits: {error}"),
            }
        }
        if stop.run_until_cancelled(changed).await.is_some() {
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }
}
