//! Candles as Arrow record batches, and batches as Parquet or Arrow IPC.
//!
//! It is a crate of its own, so that only the programs that write or read columns build the Arrow and Parquet crates.
//! Like the core of `candlewick-shared`, it computes and does no I/O.

pub mod batch;
pub mod encode;
mod layout;
pub mod lines;
pub mod names;
pub mod number;
mod parallel;
mod parquet_file;
mod plain;
pub mod read;
pub mod schema;
