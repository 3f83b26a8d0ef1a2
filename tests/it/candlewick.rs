//! The command, as a person runs it.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use candlewick_testbed::programs;
pub use candlewick_testbed::programs::root;

/// How long a command may take. It bounds a failure, and measures nothing.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program that the workspace builds, after building all of them once.
pub fn program(name: &str) -> PathBuf {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(programs::build).join(name)
}

/// The command on a state directory, with nothing of the tester's own settings.
pub fn candlewick(state: &Path) -> Command {
    let mut command = Command::new(program("candlewick"));
    for variable in [
        "TWELVEDATA_API_KEY",
        "TWELVEDATA_API_KEY_FILE",
        "TWELVEDATA_PLAN",
        "BUCKET",
        "DATABASE_URL",
        "AWS_ENDPOINT_URL",
        "WATCHLIST",
        "CLOCK",
        "SCHEDULE",
    ] {
        command.env_remove(variable);
    }
    command.arg("--state").arg(state).stdin(Stdio::null());
    command
}

/// What the command says when it does what it was asked.
pub fn succeed(command: &mut Command) -> anyhow::Result<String> {
    let (status, said) = finish(command)?;
    ensure!(status.success(), "{said}");
    Ok(said)
}

/// What the command says when it does not do what it was asked: its exit code must say so too.
pub fn fail(command: &mut Command) -> anyhow::Result<String> {
    let (status, said) = finish(command)?;
    ensure!(!status.success(), "it should have failed:\n{said}");
    Ok(said)
}

/// Runs a command to its end, and not for ever. It writes to a file: a pipe would stay open for as long as any process
/// that it started.
pub fn finish(command: &mut Command) -> anyhow::Result<(ExitStatus, String)> {
    let said = tempfile::NamedTempFile::new().context("make a file")?;
    let mut child = command.stdout(append(&said)?).stderr(append(&said)?).spawn().context("run a program")?;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().context("wait for a program")? {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => break None,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let text = std::fs::read_to_string(said.path()).context("read what it said")?;
    if status.is_none() {
        child.kill().context("kill a program")?;
    }
    Ok((status.with_context(|| format!("it did not end:\n{text}"))?, text))
}

/// A way to write behind what the file has: both outputs go into one.
fn append(file: &tempfile::NamedTempFile) -> anyhow::Result<File> {
    OpenOptions::new().append(true).open(file.path()).context("open a file")
}
