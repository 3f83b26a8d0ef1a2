//! Creates a virtual environment and installs locked requirements into it with pip.
//!
//! pip is used instead of a faster installer because only pip reads the machine's pip configuration (mirrors, proxies,
//! certificates).

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStdout, Command};

use super::environment::Environment;
use super::error::PythonError;
use super::find::Interpreter;
use super::requirements::Requirements;
use crate::process::last_lines;
use crate::progress::Reporter;

/// The number of packages between two progress messages.
const REPORT_EVERY: usize = 20;
const LINES_SHOWN: usize = 8;

/// The arguments of pip. The lock is complete, so pip resolves no dependencies (`--no-deps`) and fetches nothing that the lock
/// does not name, not even for builds. Modules are compiled at first use, which halves the installation time.
const PIP: [&str; 12] = [
    "-I",
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar=off",
    "--no-compile",
    "--no-deps",
    "--no-build-isolation",
    "--require-hashes",
    "--requirement",
];

/// Variables that would make pip or Python read or install packages outside of the environment.
const REMOVED_VARIABLES: [&str; 7] =
    ["PIP_PREFIX", "PIP_REQUIREMENT", "PIP_ROOT", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH"];

/// Installs from scratch: removes the remains of an interrupted installation first, and writes the marker last.
pub(super) async fn install(
    environment: &Environment,
    requirements: &Requirements,
    python: &Interpreter,
    progress: &Reporter,
) -> Result<(), PythonError> {
    let installer = Installer::new(environment, requirements, progress)?;
    installer.report_start(python);
    let started = Instant::now();
    installer.make_environment(python).await?;
    for (index, lock) in requirements.locks.iter().enumerate() {
        installer.install_lock(index, lock).await?;
    }
    if let Some(script) = requirements.prepare {
        installer.prepare(script).await?;
    }
    fs::write(environment.marker(), &python.version).context("write the environment's marker")?;
    progress.line("python", &format!("{} installed in {} s", requirements.title, started.elapsed().as_secs()));
    Ok(())
}

struct Installer<'a> {
    environment: &'a Environment,
    requirements: &'a Requirements,
    progress: &'a Reporter,
    log: PathBuf,
}

impl<'a> Installer<'a> {
    fn new(
        environment: &'a Environment,
        requirements: &'a Requirements,
        progress: &'a Reporter,
    ) -> anyhow::Result<Self> {
        let log = environment.dir().with_extension("log");
        File::create(&log).with_context(|| format!("create {}", log.display()))?;
        if environment.dir().exists() {
            fs::remove_dir_all(environment.dir()).with_context(|| format!("remove {}", environment.dir().display()))?;
        }
        Ok(Self { environment, requirements, progress, log })
    }

    fn report_start(&self, python: &Interpreter) {
        let Requirements { title, size, .. } = self.requirements;
        let text =
            format!("installing {title} with Python {} (once, {size} in {})", python.version, self.dir().display());
        self.progress.line("python", &text);
    }

    fn dir(&self) -> &Path {
        self.environment.dir()
    }

    async fn make_environment(&self, python: &Interpreter) -> Result<(), PythonError> {
        let mut command = Command::new(&python.path);
        command.args(["-I", "-m", "venv"]).arg(self.dir());
        let next = format!("Remove {} and run again.", self.dir().display());
        self.run("create a virtual environment", command, &next, |_| {}).await
    }

    async fn install_lock(&self, index: usize, lock: &str) -> Result<(), PythonError> {
        let file = self.dir().join(format!("requirements-{index}.txt"));
        fs::write(&file, lock).with_context(|| format!("write {}", file.display()))?;
        let mut command = Command::new(self.environment.python());
        command.args(PIP).arg(&file);
        let next = format!(
            "Check the network and pip's settings (`{} -m pip config list`), then run again{}.",
            self.environment.python().display(),
            self.requirements.otherwise
        );
        let mut fetched = FetchProgress { count: 0, total: packages(lock) };
        let step = format!("install {}", self.requirements.title);
        self.run(&step, command, &next, |line| fetched.update(line, self.progress)).await
    }

    async fn prepare(&self, script: &str) -> Result<(), PythonError> {
        self.progress.line("python", &format!("preparing {} for its first start", self.requirements.title));
        let mut command = Command::new(self.environment.python());
        command.args(["-I", "-c", script]);
        self.run(&format!("prepare {}", self.requirements.title), command, "Please report this.", |_| {}).await
    }

    /// Runs one step. Its output goes to the log, and `on_line` is called with each line.
    async fn run(
        &self,
        step: &str,
        command: Command,
        next: &str,
        on_line: impl FnMut(&str),
    ) -> Result<(), PythonError> {
        let failure = self.run_command(command, on_line).await.map_err(|error| format!("{error:#}"));
        let reason = match failure {
            Ok(None) => return Ok(()),
            Ok(Some(exit)) => format!("{exit}\n{}", last_lines(&self.log, 0, LINES_SHOWN).join("\n")),
            Err(error) => error,
        };
        Err(PythonError::Step { step: step.to_owned(), reason, log: self.log.clone(), next: next.to_owned() })
    }

    /// Returns the exit status of a failed command, or `None` if it succeeded.
    async fn run_command(&self, mut command: Command, on_line: impl FnMut(&str)) -> anyhow::Result<Option<String>> {
        let log = fs::OpenOptions::new().append(true).open(&self.log).context("open the installation's log")?;
        let stderr = log.try_clone().context("open the installation's log")?;
        for name in REMOVED_VARIABLES {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
        let mut child = command.spawn().context("start the program")?;
        if let Some(stdout) = child.stdout.take() {
            copy(stdout, log, on_line).await.context("copy the program's output")?;
        }
        let status = child.wait().await.context("wait for the program")?;
        Ok((!status.success()).then(|| status.to_string()))
    }
}

async fn copy(stdout: ChildStdout, mut log: File, mut on_line: impl FnMut(&str)) -> std::io::Result<()> {
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        writeln!(log, "{line}")?;
        on_line(&line);
    }
    Ok(())
}

/// Counts the packages that a lock names. A few of them are not installed, because they are for other platforms.
fn packages(lock: &str) -> usize {
    lock.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric())).count()
}

/// Condenses the output of pip to a few progress messages.
struct FetchProgress {
    count: usize,
    total: usize,
}

impl FetchProgress {
    fn update(&mut self, line: &str, progress: &Reporter) {
        if line.starts_with("Collecting ") {
            self.count += 1;
            if self.count.is_multiple_of(REPORT_EVERY) {
                progress.line("python", &format!("fetched {} of about {} packages", self.count, self.total));
            }
        } else if line.starts_with("Installing collected packages") && self.total >= REPORT_EVERY {
            progress.line("python", "unpacking");
        }
    }
}
