//! Ingest: from the watchlist to raw objects, through the TwelveData API.
//!
//! [`refresh`] decides which series are due and sends a message for each, [`fetch`] fetches one series and stores it, and
//! [`credits`] keeps requests within the budget of the API plan.

pub mod assemble;
pub mod config;
pub mod context;
pub mod credits;
pub mod fetch;
pub mod handler;
pub mod refresh;
