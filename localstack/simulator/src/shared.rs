//! The state that all HTTP requests share.

use candlewick_shared::core::clock::Clock;

use crate::simulator::Simulator;

/// The state that all HTTP requests share.
#[derive(Debug)]
pub struct Shared {
    pub simulator: Simulator,
    pub clock: Clock,
}
