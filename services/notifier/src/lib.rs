//! Notifies the owner of trouble.
//!
//! Reading order: `intake` records the alerts of the services; `sweep` looks for trouble that no service reports (`facts`
//! reads, `conditions` decides); `plan` decides which notification is due, `message` writes it, and `digest`
//! writes the daily summary; `outbox` stores notifications until `sender` has sent them through each `channel`.
//! `events` sends programs outside an event for each load.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod alerts;
pub mod channel;
pub mod conditions;
pub mod config;
pub mod digest;
pub mod events;
pub mod facts;
pub mod heartbeat;
pub mod intake;
pub mod losses;
pub mod message;
pub mod outbox;
pub mod plan;
pub mod planner;
pub mod runs;
pub mod sender;
pub mod service;
pub mod sweep;
