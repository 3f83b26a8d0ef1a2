//! What every handler has at hand.

use std::path::PathBuf;
use std::sync::Arc;

use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::store::ObjectStore;
use jiff::SignedDuration;
use sqlx::PgPool;

use crate::live::Hub;
use crate::read::queues::Queues;

/// What every handler has at hand.
#[derive(Clone)]
pub struct App {
    /// The database, where nothing can be written.
    pub pool: PgPool,
    /// The bucket.
    pub store: Arc<dyn ObjectStore>,
    /// The queues.
    pub queues: Arc<dyn Queues>,
    /// The time.
    pub now: Now,
    /// The file with the watchlist, where the settings name one.
    pub watchlist: Option<PathBuf>,
    /// How long after the end of its slot a candle may take to arrive.
    pub sla: SignedDuration,
    /// What happens, as it happens.
    pub hub: Hub,
}
