//! The dashboard: what the store has, as pages, as JSON, and as it changes.
//!
//! Reading order: `router` says which address leads where and what stands before all of them; `query` turns addresses into
//! types; `read` asks the database, the bucket and the queues; `pages` and `api` show what was read. What decides
//! (`freshness`, `sessions`, `sparkline`, `figures`) does no I/O.

pub mod access;
pub mod api;
pub mod app;
pub mod assets;
pub mod auth;
pub mod brake;
pub mod buckets;
pub mod client;
pub mod config;
pub mod connection;
pub mod etag;
pub mod figures;
pub mod freshness;
pub mod headers;
pub mod heavy;
pub mod indicators;
pub mod live;
pub mod pages;
pub mod places;
pub mod problem;
pub mod query;
pub mod rate;
pub mod read;
pub mod ready;
pub mod refusals;
pub mod router;
pub mod server;
pub mod sessions;
pub mod sparkline;
pub mod ticket;
