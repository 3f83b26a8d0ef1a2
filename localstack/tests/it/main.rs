//! The real programs: Python, the emulators and PostgreSQL, each in a state directory of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod emulator;
mod postgres;
mod python;
mod raw_copy;
mod support;
mod watchdog;
