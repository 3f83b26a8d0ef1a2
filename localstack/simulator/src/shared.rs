//! What all requests share.

use candlewick_shared::core::clock::Clock;

use crate::simulator::Simulator;

/// What all requests share.
#[derive(Debug)]
pub struct Shared {
    pub simulator: Simulator,
    /// The time.
    pub clock: Clock,
}
