//! Ingest: from the watchlist to raw objects, by way of the TwelveData API.

pub mod answer;
pub mod client;
pub mod config;
pub mod cron;
pub mod due;
pub mod handler;
mod layout;
pub mod plan;
mod record;
pub mod refresh;
pub mod schedule;
