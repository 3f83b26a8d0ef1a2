//! The transform: from a raw object to a clean one, with a report and what was set aside.

pub mod clean;
pub mod config;
pub mod duplicates;
pub mod handler;
pub mod quarantine;
pub mod row;
pub mod unpack;
