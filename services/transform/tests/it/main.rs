//! What cleaning promises, seen from outside.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod aapl;
mod calendars;
mod cases;
mod dialects;
mod ends;
mod fuzz;
mod handler;
mod intervals;
mod lines;
mod mixed;
mod mutations;
mod properties;
mod reports;
mod rules;
mod settings;
mod simulation;
mod support;
