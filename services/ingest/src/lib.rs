//! Ingest: from the watchlist to raw objects, by way of the TwelveData API.

pub mod answer;
pub mod client;
pub mod config;
pub mod handler;
pub mod plan;
pub mod refresh;
