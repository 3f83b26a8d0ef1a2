//! The interfaces to the outside world. Each trait documents its contract. The contracts of the store and the queue are
//! also tests that all of their adapters pass (`adapters::contract`).

pub mod clock;
pub mod notifier;
pub mod protection;
pub mod queue;
pub mod runs;
pub mod store;
