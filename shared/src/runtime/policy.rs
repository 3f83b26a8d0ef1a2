//! The policy of a consumer.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::runtime::backoff::Backoff;
use crate::runtime::losses::MOST_LOST;

/// How many messages are processed at once by default. They mostly wait for S3 and the database; with fewer, a receive
/// would hardly ever return more than one message.
pub const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(5);

/// The policy of a consumer: concurrency, leases, retries and the stop.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How many messages are processed at once; at least one.
    pub concurrency: usize,
    /// How long a message is leased at receipt and at each extension.
    pub lease: Duration,
    /// The longest that the work on one message may take.
    pub deadline: Duration,
    /// After how many failures a message is given up. Outages and work that came too early do not count.
    pub attempts: u32,
    /// How many consumers a message may cost before it is given up.
    pub most_lost: u32,
    /// How long a message waits after its work failed.
    pub retry: Backoff,
    /// How long nothing is received after a dependency was down or a receive failed.
    pub outage: Backoff,
    /// How long work in flight may continue after a stop was requested. ECS kills a task 30 s after SIGTERM.
    pub stop_within: Duration,
    /// How long a receive that is in progress when a stop is requested may still return messages, which are given back.
    /// Messages that arrive later stay hidden until their lease ends.
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
