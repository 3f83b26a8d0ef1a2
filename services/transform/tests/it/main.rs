//! What cleaning promises, seen from outside.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod aapl;
mod calendars;
mod fuzz;
mod handler;
mod properties;
mod rules;
mod settings;
mod simulation;
mod support;
