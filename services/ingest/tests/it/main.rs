//! What ingest promises, seen from outside: the simulator in place of the API, and memory in place of bucket and queue.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod book;
mod credits;
mod cron;
mod dropped;
mod errors;
mod fetch;
mod forgetting;
mod history;
mod key;
mod recycled;
mod refresh;
mod runs;
mod scale;
mod shrinking;
mod simulation;
mod splits;
mod support;
mod vendor;
