//! Code that two or more Candlewick services share, in five layers. Each layer depends only on the layers before it:
//!
//! 1. [`core`] makes the decisions: pure functions and types, without I/O, clock or environment.
//! 2. [`ports`] are the interfaces to the outside: object store, queue, notifier, runs, scale-in protection and clock.
//! 3. [`adapters`] implement the ports on AWS and PostgreSQL, and in memory for tests on paused time.
//! 4. [`runtime`] turns a handler into a service: consumer loop, tower layers, settings, logs and graceful shutdown.
//! 5. [`reads`] are the queries that the command, the dashboard and the notifier share.

pub mod adapters;
pub mod core;
pub mod ports;
pub mod reads;
pub mod runtime;
