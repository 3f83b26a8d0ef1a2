//! The simulator as its clients see it.

#![allow(clippy::unwrap_used)]

mod conformance;
mod credits;
mod data;
mod defects;
mod faults;
mod market;
mod process;
mod python;
mod support;
mod time_series;
