//! Programs to start: arguments, environment, user and stop plan.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use nix::sys::signal::Signal;

/// The default time that a program has to end after SIGTERM.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);

/// The variables that a program inherits even if its environment is clean.
const INHERITED: [&str; 6] = ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL"];

/// The user that a program runs as, if it is not the current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// For messages only.
    pub name: String,
    pub uid: u32,
    /// The primary group. Supplementary groups are dropped.
    pub gid: u32,
}

/// The signals to stop a program with, and the time to wait after each. SIGKILL follows the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopPlan(Vec<(i32, Duration)>);

impl StopPlan {
    /// Creates a plan that sends these signals in this order.
    pub fn new(steps: &[(Signal, Duration)]) -> Self {
        Self(steps.iter().map(|(signal, patience)| (*signal as i32, *patience)).collect())
    }

    /// Creates a plan of one SIGTERM.
    pub fn term(patience: Duration) -> Self {
        Self::new(&[(Signal::SIGTERM, patience)])
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = (Signal, Duration)> {
        self.0.iter().filter_map(|(signal, patience)| Some((Signal::try_from(*signal).ok()?, *patience)))
    }
}

/// A program to start.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) stop: StopPlan,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    clean_env: bool,
    dir: Option<PathBuf>,
    identity: Option<Identity>,
}

impl Program {
    /// Creates a program with the current environment, directory and user, which SIGTERM stops. Its log and pid file are called
    /// `name`.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            stop: StopPlan::term(DEFAULT_PATIENCE),
            args: Vec::new(),
            env: Vec::new(),
            clean_env: false,
            dir: None,
            identity: None,
        }
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts the program with only `PATH`, `HOME` and a few more variables of the current environment, so that settings for
    /// other programs do not affect it.
    pub fn clean_env(mut self) -> Self {
        self.clean_env = true;
        self
    }

    /// Sets the working directory.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Sets the user, which requires root.
    pub fn run_as(mut self, identity: Option<Identity>) -> Self {
        self.identity = identity;
        self
    }

    pub fn stop_by(mut self, plan: StopPlan) -> Self {
        self.stop = plan;
        self
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn to_command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if self.clean_env {
            command.env_clear().envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        }
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        if let Some(identity) = &self.identity {
            // The standard library also drops root's supplementary groups when it changes the user.
            command.uid(identity.uid).gid(identity.gid);
        }
        command
    }
}
