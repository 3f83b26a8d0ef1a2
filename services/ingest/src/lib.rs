//! Ingest: from the watchlist to raw objects, by way of the TwelveData API.

pub mod allowance;
pub mod answer;
mod asking;
pub mod assemble;
pub mod budget;
pub mod candles;
pub mod client;
pub mod config;
pub mod cron;
pub mod due;
pub mod failure;
pub mod fetch;
pub mod handler;
pub mod identity;
pub mod keeper;
pub mod kept;
mod layout;
pub mod loss;
pub mod metered;
pub mod overlap;
pub mod plan;
mod record;
pub mod refresh;
pub mod schedule;
mod stored;
mod telling;
mod writing;
