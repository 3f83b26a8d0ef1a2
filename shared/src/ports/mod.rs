//! What the core's surroundings must offer. Each trait carries its contract; every adapter passes the same tests of it.

pub mod clock;
pub mod notifier;
pub mod protection;
pub mod queue;
pub mod runs;
pub mod store;
