//! The dashboard: shows the contents of the store as pages, as JSON, and as a stream of changes.
//!
//! Reading order: `router` maps addresses to handlers and adds the guards in front of them; `query` parses addresses
//! into types; `read` queries the database, the bucket and the queues; `pages` and `api` render the results. `requests`
//! is all that the dashboard writes: a run, and its message to ingest. The
//! modules that compute (`sessions`, `sparkline`, `figures`) do no I/O.

pub mod access;
pub mod answers;
pub mod api;
pub mod app;
pub mod assets;
pub mod auth;
pub mod brake;
pub mod buckets;
pub mod client;
pub mod config;
pub mod connection;
pub mod dashboards;
pub mod editing;
pub mod etag;
pub mod figures;
pub mod headers;
pub mod heavy;
pub mod indicators;
pub mod links;
pub mod live;
pub mod pages;
pub mod places;
pub mod problem;
pub mod query;
pub mod rate;
pub mod read;
pub mod ready;
pub mod refusals;
pub mod requests;
pub mod router;
pub mod server;
pub mod sessions;
pub mod sparkline;
pub mod ticket;
pub mod turns;
pub mod waiting;
pub mod writers;
