//! The real programs: Python, LocalStack and PostgreSQL, each in a state directory of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod localstack;
mod postgres;
mod python;
mod support;
mod watchdog;
