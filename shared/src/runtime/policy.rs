//! How a consumer works.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::runtime::backoff::Backoff;
use crate::runtime::losses::MOST_LOST;

/// How many messages are handled at once by default. They spend most of their time waiting for S3 and the database; with fewer,
/// a receive would hardly ever return more than one message.
pub const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(5);

/// How a consumer works: concurrency, leases, retries and the stop.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How many messages are handled at once; at least one.
    pub concurrency: usize,
    /// How long a message is leased at receipt and at each extension.
    pub lease: Duration,
    /// The longest that one message's work may take.
    pub deadline: Duration,
    /// After how many failures a message is given up. An outage, or work that came too early, is no failure.
    pub attempts: u32,
    /// How many consumers a message may cost before it is given up.
    pub most_lost: u32,
    /// How long a message waits after its work failed.
    pub retry: Backoff,
    /// How long nothing is received after something was down, and after a receive that failed.
    pub outage: Backoff,
    /// How long work in hand may go on after a stop is asked for. ECS kills 30 s after its SIGTERM.
    pub stop_within: Duration,
    /// How long a receive that is under way when a stop is asked for may still bring messages, which are given back. What
    /// comes later stays hidden until its lease ends.
    pub last_receive: Duration,
}

impl Policy {
    /// Values that suit most services.
    #[must_use]
    pub fn new(concurrency: usize, lease: Duration) -> Self {
        Self {
            concurrency: concurrency.max(1),
            lease,
            deadline: Duration::from_secs(900),
            attempts: 6,
            most_lost: MOST_LOST,
            retry: Backoff { first: Duration::from_secs(2), most: Duration::from_secs(300) },
            outage: Backoff { first: Duration::from_millis(500), most: Duration::from_secs(30) },
            stop_within: Duration::from_secs(20),
            last_receive: Duration::from_secs(1),
        }
    }
}
