//! What `shared` promises, seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod aws;
mod consumer;
mod ecs;
mod events;
mod monthly_summary;
mod server;
