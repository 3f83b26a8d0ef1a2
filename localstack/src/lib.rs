//! The stack on one machine: the pieces that install, start, watch and stop the programs Candlewick runs on.
//!
//! Nothing here prints: what a person should see goes to a [`progress::Progress`], what a program says goes to a log file
//! in the [`state::StateDir`], and what went wrong comes back as an error that names the next step.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod emulator;
pub mod env_file;
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
