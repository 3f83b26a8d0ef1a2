//! Turns a handler into a service: one consumer loop for every queue, tower layers around the handler, settings from
//! the environment, logs, and a graceful stop.

pub mod attempts;
pub mod backoff;
pub mod breaker;
pub mod chance;
pub mod command_line;
pub mod compute;
pub mod consumer;
pub mod database;
pub mod dead_letter;
pub mod deletions;
pub mod env;
pub mod evidence;
pub mod health;
pub mod health_server;
pub mod layers;
pub mod lineage;
pub mod losses;
pub mod measures;
pub mod memory;
pub mod objects;
pub mod outage_alert;
pub mod outcome;
pub mod outgoing;
pub mod policy;
pub mod protector;
pub mod service;
pub mod settlement;
pub mod telemetry;
pub mod topology;
pub mod tracing_ids;
pub mod unanswered;
pub mod worker;
