//! What cleaning promises, seen from outside.

mod aapl;
mod calendars;
mod fuzz;
mod handler;
mod properties;
mod rules;
mod store;
mod support;
