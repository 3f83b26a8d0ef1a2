//! What two or more Candlewick services need, in four layers. Each layer knows only those before it:
//!
//! 1. [`core`] decides: pure functions and types, no I/O, no clock, no environment.
//! 2. [`ports`] say what the core's surroundings must offer: an object store, a queue, a notifier, a clock.
//! 3. [`adapters`] offer it: on AWS, and in memory for tests on paused time.
//! 4. [`runtime`] turns a handler into a service: the consumer loop, its tower layers, settings, logs and graceful stop.

pub mod adapters;
pub mod core;
pub mod ports;
pub mod runtime;
