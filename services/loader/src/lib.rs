//! The loader: from a clean object to rows of PostgreSQL.

pub mod config;
pub mod failure;
pub mod handler;
pub mod ledger;
pub mod merge;
pub mod staging;
