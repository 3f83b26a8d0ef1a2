//! The local stack: installs, starts, supervises and stops the programs that Candlewick needs on one machine.
//!
//! Nothing here prints. Progress for the user goes to a [`progress::Progress`], the output of programs to log files in the
//! [`state::StateDir`], and failures are returned as errors that say what to do next.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod airflow;
pub mod emulator;
pub mod env_file;
mod http;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod progress;
pub mod provision;
pub mod python;
pub mod raw_copy;
pub mod stack;
pub mod state;
pub mod supervise;
pub mod watchdog;
