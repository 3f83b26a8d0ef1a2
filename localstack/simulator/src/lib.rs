//! A stand-in for the TwelveData API.
//!
//! It answers the candle endpoints of the API from recorded and made-up candles, keeps the account's credits, and goes
//! wrong on demand. Candles follow from a seed, a symbol and a date alone: the same request gives the same candles in
//! every process. The interface is described in `openapi/twelvedata.json`; where that document is silent, the behaviour
//! is what clients of the live API report.
//!
//! From the bottom up: [`market`] makes candles, [`api`] reads requests and writes answers, [`simulator`] adds what
//! changes between requests (credits, faults, defects, splits, the log), and [`server`] puts it behind HTTP.

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
