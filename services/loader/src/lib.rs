//! The loader: from a clean object to rows of PostgreSQL.

pub mod alone;
pub mod binary;
pub mod claim;
pub mod config;
pub mod copy;
pub mod difference;
pub mod failure;
pub mod handler;
pub mod ledger;
pub mod merge;
pub mod session;
pub mod staging;
