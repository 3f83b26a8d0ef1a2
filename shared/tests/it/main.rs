//! Tests of the public interface of the shared crate.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by it")]

mod aws;
mod blame;
mod calendar_sessions;
mod consumer;
mod ecs;
mod events;
mod health;
mod monthly_summary;
mod server;
