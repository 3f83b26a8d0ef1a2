//! Child processes, each in its own process group and with a log file, a pid file and a stop plan.
//!
//! A process that is dropped without [`Process::stop`] keeps running until the [`crate::watchdog`], or [`leftovers::stop`] in the
//! next run, stops it.

mod descendants;
mod exit;
pub(crate) mod identity;
pub mod leftovers;
mod log;
mod program;
mod running;

pub use nix::sys::signal::Signal;

pub use self::exit::Exit;
pub(crate) use self::log::last_lines;
pub use self::program::{DEFAULT_PATIENCE, Identity, Program, StopPlan};
pub use self::running::{Process, Stopped};

#[cfg(test)]
mod tests;
