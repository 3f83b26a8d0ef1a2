//! The loader: from a clean object to rows of PostgreSQL.

pub mod alone;
pub mod binary;
pub mod claim;
pub mod config;
pub mod copy;
pub mod difference;
pub mod handler;
pub mod ledger;
pub mod lost;
pub mod merge;
pub mod runs;
pub mod schema;
pub mod session;
pub mod staging;

/// Errors of the database, and which of them are outages.
pub use candlewick_shared::adapters::database as failure;
