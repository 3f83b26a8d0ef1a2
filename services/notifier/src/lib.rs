//! Tells the owner of what needs them.
//!
//! Reading order: `intake` writes what services say into the database; `sweep` looks for what nobody says (`facts` reads,
//! `conditions` and `stale` decide); `plan` decides what is told when, `message` in which words, `digest` once a day;
//! `outbox` keeps what is to be sent, and `sender` sends it through the `channel`s.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod alerts;
pub mod channel;
pub mod conditions;
pub mod config;
pub mod digest;
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
pub mod stale;
pub mod sweep;
