//! What cleaning promises, seen from outside.

mod aapl;
mod calendars;
mod fuzz;
mod properties;
mod rules;
mod support;
