//! The command, as a person runs it.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use candlewick_test_support::programs;
pub use candlewick_test_support::programs::root;

/// The timeout of a command. It only bounds failures; it is no performance limit.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program of the workspace; all programs are built on the first call.
pub fn program(name: &str) -> PathBuf {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(programs::build).join(name)
}

/// The command with a state directory and without the tester's own settings.
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
        "TOPOLOGY",
    ] {
        command.env_remove(variable);
    }
    command.arg("--state").arg(state).stdin(Stdio::null());
    command
}

/// The output of a command that must succeed.
pub fn succeed(command: &mut Command) -> anyhow::Result<String> {
    let (status, said) = finish(command)?;
    ensure!(status.success(), "{said}");
    Ok(said)
}

/// The output of a command that must fail, with an exit code other than 0.
pub fn fail(command: &mut Command) -> anyhow::Result<String> {
    let (status, said) = finish(command)?;
    ensure!(!status.success(), "it should have failed:\n{said}");
    Ok(said)
}

/// Runs a command to its end, with a timeout. Its output goes to a file, because a pipe would stay open as long as any
/// process that it started.
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

/// A handle that appends to the file, because both outputs go into the same one.
fn append(file: &tempfile::NamedTempFile) -> anyhow::Result<File> {
    OpenOptions::new().append(true).open(file.path()).context("open a file")
}
