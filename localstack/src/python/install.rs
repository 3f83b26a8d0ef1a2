//! Makes a virtual environment and installs locked requirements into it, by pip.
//!
//! pip and not a faster installer: it alone reads the machine's pip configuration (mirrors, proxies, certificates).

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

/// A line of progress after each so many packages.
const TOLD_EVERY: usize = 20;
const LINES_SHOWN: usize = 8;

/// pip's arguments. The lock is complete, so nothing is resolved (`--no-deps`) and nothing but what it names is fetched, not
/// even for builds; modules are compiled when first used, which halves the time.
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

/// Settings that would have pip or Python look or install elsewhere than in the environment.
const UNWANTED: [&str; 7] =
    ["PIP_PREFIX", "PIP_REQUIREMENT", "PIP_ROOT", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH"];

/// Installs from nothing: what a run that was cut short left is removed first, and the marker is written last.
pub(super) async fn install(
    environment: &Environment,
    requirements: &Requirements,
    python: &Interpreter,
    progress: &Reporter,
) -> Result<(), PythonError> {
    let installer = Installer::new(environment, requirements, progress)?;
    installer.tell_start(python);
    let begun = Instant::now();
    installer.make_environment(python).await?;
    for (index, lock) in requirements.locks.iter().enumerate() {
        installer.install_lock(index, lock).await?;
    }
    if let Some(script) = requirements.prepare {
        installer.prepare(script).await?;
    }
    fs::write(environment.marker(), &python.version).context("write the environment's marker")?;
    progress.line("python", &format!("{} installed in {} s", requirements.title, begun.elapsed().as_secs()));
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

    fn tell_start(&self, python: &Interpreter) {
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
        self.run("make a virtual environment", command, "Remove that directory and run again.", |_| {}).await
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
        let mut count = Count { seen: 0, total: packages(lock) };
        self.run(&format!("install {}", self.requirements.title), command, &next, |line| count.see(line, self.progress))
            .await
    }

    async fn prepare(&self, script: &str) -> Result<(), PythonError> {
        self.progress.line("python", &format!("preparing {} for its first start", self.requirements.title));
        let mut command = Command::new(self.environment.python());
        command.args(["-I", "-c", script]);
        self.run(&format!("prepare {}", self.requirements.title), command, "Please report this.", |_| {}).await
    }

    /// Runs one step with its output in the log, and shows its lines to `see`.
    async fn run(&self, step: &str, command: Command, next: &str, see: impl FnMut(&str)) -> Result<(), PythonError> {
        let outcome = self.follow(command, see).await.map_err(|error| format!("{error:#}"));
        let reason = match outcome {
            Ok(None) => return Ok(()),
            Ok(Some(exit)) => format!("{exit}\n{}", last_lines(&self.log, 0, LINES_SHOWN).join("\n")),
            Err(error) => error,
        };
        Err(PythonError::Step { step: step.to_owned(), reason, log: self.log.clone(), next: next.to_owned() })
    }

    /// How it failed, or `None` where it did not.
    async fn follow(&self, mut command: Command, see: impl FnMut(&str)) -> anyhow::Result<Option<String>> {
        let log = fs::OpenOptions::new().append(true).open(&self.log).context("open the installation's log")?;
        let stderr = log.try_clone().context("open the installation's log")?;
        for name in UNWANTED {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
        let mut child = command.spawn().context("start the program")?;
        if let Some(stdout) = child.stdout.take() {
            copy(stdout, log, see).await.context("copy the program's output")?;
        }
        let status = child.wait().await.context("wait for the program")?;
        Ok((!status.success()).then(|| status.to_string()))
    }
}

async fn copy(stdout: ChildStdout, mut log: File, mut see: impl FnMut(&str)) -> std::io::Result<()> {
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        writeln!(log, "{line}")?;
        see(&line);
    }
    Ok(())
}

/// How many packages a lock names; on one machine a few fewer are installed.
fn packages(lock: &str) -> usize {
    lock.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric())).count()
}

/// Turns pip's many lines into few.
struct Count {
    seen: usize,
    total: usize,
}

impl Count {
    fn see(&mut self, line: &str, progress: &Reporter) {
        if line.starts_with("Collecting ") {
            self.seen += 1;
            if self.seen.is_multiple_of(TOLD_EVERY) {
                progress.line("python", &format!("fetched {} packages of about {}", self.seen, self.total));
            }
        } else if line.starts_with("Installing collected packages") && self.total >= TOLD_EVERY {
            progress.line("python", "unpacking");
        }
    }
}
