//! Child processes: each in its own process group, with a log file, a pid file, and a plan for stopping it.
//!
//! A process that is dropped without [`Process::stop`] keeps running. It is ended by the [`crate::watchdog`], or by
//! [`leftovers::stop`] in the next run.

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
