//! A simulator of the TwelveData API.
//!
//! It answers the API's candle endpoints with recorded and generated candles, counts credits, and produces faults on
//! demand. Candles depend only on a seed, a symbol and a date, so the same request gives the same candles in every
//! process. The interface is described in `openapi/twelvedata.json`. What that document does not specify follows
//! reports of clients of the live API.
//!
//! From the bottom up: [`market`] generates candles, [`api`] parses requests and writes answers, [`simulator`] adds the
//! state that changes between requests (credits, faults, defects, splits, the log), and [`server`] serves it over HTTP.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod batch;
pub mod control;
pub mod credits;
pub mod fault_text;
pub mod faults;
pub mod market;
pub mod reply;
pub mod request_log;
pub mod server;
pub mod settings;
mod shared;
pub mod simulator;
pub mod world;

pub use server::serve;
