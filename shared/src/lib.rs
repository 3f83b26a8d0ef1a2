//! Code that two or more Candlewick services share, in four layers. Each layer depends only on the layers before it:
//!
//! 1. [`core`] makes the decisions: pure functions and types, without I/O, clock or environment.
//! 2. [`ports`] are the interfaces to the outside: object store, queue, notifier, runs, scale-in protection and clock.
//! 3. [`adapters`] implement the ports on AWS and PostgreSQL, and in memory for tests on paused time.
//! 4. [`runtime`] turns a handler into a service: consumer loop, tower layers, settings, logs and graceful shutdown.

pub mod adapters;
pub mod core;
pub mod ports;
pub mod runtime;
