//! The loader: loads transformed objects into PostgreSQL.

pub mod binary;
pub mod claim;
pub mod config;
pub mod connection;
pub mod copy;
pub mod difference;
pub mod exclusive;
pub mod handler;
pub mod inserted;
pub mod ledger;
pub mod lost;
pub mod merge;
pub mod runs;
pub mod schema;
pub mod settle;
pub mod staging;

/// Database errors, and which of them mean an outage.
pub use candlewick_shared::adapters::database as failure;
