//! The system clock, adjusted by the clock setting.

use std::sync::Arc;

use jiff::Timestamp;

use crate::core::clock::Clock;
use crate::ports::clock::Now;

/// Returns the current time under a clock setting.
#[must_use]
pub fn now(clock: Clock) -> Now {
    Arc::new(move || clock.at(Timestamp::now()))
}
