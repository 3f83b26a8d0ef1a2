//! The notices that the database sends when something was loaded, a run made progress, or an alert changed.

use sqlx::PgPool;
use sqlx::postgres::PgListener;

/// The channel of all notices. Their payload is a JSON object with a `kind`: `loaded`, `run` or `alert`.
const CHANNEL: &str = "candlewick";

/// Listens to the notices. Notices from before are not heard, so listen first and read the state after that.
///
/// # Errors
///
/// Returns an error if no connection can be opened.
pub async fn listen(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
