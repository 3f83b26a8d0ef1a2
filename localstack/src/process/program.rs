//! What to start, as whom, and how to stop it.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use nix::sys::signal::Signal;

/// How long a program may take to end after SIGTERM unless it says otherwise.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);

/// What a program that starts with a clean environment still gets from ours.
const KEPT: [&str; 6] = ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL"];

/// The user that a program runs as, when that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's name, for messages.
    pub name: String,
    /// The user's id.
    pub uid: u32,
    /// The id of the user's first group. The other groups are dropped.
    pub gid: u32,
}

/// The signals that ask a program to end, each with the time it is given; SIGKILL follows the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopPlan(Vec<(i32, Duration)>);

impl StopPlan {
    /// A plan of these signals in this order.
    pub fn new(steps: &[(Signal, Duration)]) -> Self {
        Self(steps.iter().map(|(signal, patience)| (*signal as i32, *patience)).collect())
    }

    /// SIGTERM, then this much time.
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
    /// A program under a name that its log and pid file bear, with our environment and directory, stopped by SIGTERM.
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

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Adds an environment variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Keeps our environment away, but for the basics: settings meant for other programs then can't change this one.
    pub fn clean_env(mut self) -> Self {
        self.clean_env = true;
        self
    }

    /// Sets the directory that it starts in.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Sets the user that it runs as; only root may.
    pub fn run_as(mut self, identity: Option<Identity>) -> Self {
        self.identity = identity;
        self
    }

    /// Sets how it is stopped.
    pub fn stop_by(mut self, plan: StopPlan) -> Self {
        self.stop = plan;
        self
    }

    /// The program's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn to_command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if self.clean_env {
            command.env_clear().envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        }
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        if let Some(identity) = &self.identity {
            // Root's other groups go too: the standard library drops them when it changes the user.
            command.uid(identity.uid).gid(identity.gid);
        }
        command
    }
}
