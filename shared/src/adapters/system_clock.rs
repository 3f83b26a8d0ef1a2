//! The machine's clock, seen through the setting in force.

use std::sync::Arc;

use jiff::Timestamp;

use crate::core::clock::Clock;
use crate::ports::clock::Now;

/// The time that Candlewick goes by.
#[must_use]
pub fn now(clock: Clock) -> Now {
    Arc::new(move || clock.at(Timestamp::now()))
}
