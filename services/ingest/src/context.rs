//! What all work of ingest needs.

use std::sync::Arc;
use std::time::Duration;

use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::notifier::Notifier;
use candlewick_shared::ports::runs::Runs;
use candlewick_shared::ports::store::ObjectStore;

use crate::credits::metered_queue::MeteredQueue;
use crate::fetch::client::Client;

/// How long a run or a series waits before it reads an invalid watchlist again.
pub const WATCHLIST_RETRY: Duration = Duration::from_secs(300);

/// The connections and settings of the service.
#[derive(Clone)]
pub struct Ingest {
    pub client: Client,
    /// Where raw objects are stored.
    pub store: Arc<dyn ObjectStore>,
    /// The queue that messages come from and go to. It delivers a message only together with a credit.
    pub queue: Arc<MeteredQueue>,
    pub notifier: Arc<dyn Notifier>,
    /// Read again for each page of a refresh and for each series.
    pub watchlist: Arc<WatchlistSource>,
    pub runs: Arc<dyn Runs>,
    /// How long to wait, in wall-clock time, before repeating a request whose answer was incomplete.
    pub pause: Duration,
    pub now: Now,
}
