//! Apache Airflow in host mode: four programs with a database of their own on the stack's PostgreSQL.
//!
//! They listen on 127.0.0.1 only, run the example DAG of the provider and the owner's own DAGs, and reach the dashboard through
//! the connection `candlewick_default`. Their files are in `airflow` in the state directory, which only its owner can enter.

mod files;
mod health;
mod login;
mod settings;
mod variables;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use sqlx::PgPool;

pub use self::files::write_token;
pub use self::login::ensure_database;
pub use self::settings::Settings;
use self::variables::Values;
use crate::process::{Exit, Process, Program, StopPlan};
use crate::progress::Reporter;
use crate::python::{self, Environment, PythonError, Requirements, Search};
use crate::state::StateDir;

/// The Python packages of Airflow, and what the provider needs.
const REQUIREMENTS: Requirements = Requirements {
    title: "Airflow 3.3",
    size: "500 MB",
    locks: &[include_str!("../../integrations/airflow/requirements.txt")],
    prepare: None,
    otherwise: "; or run `up` without --airflow",
};

/// The programs and their arguments. The logs of tasks are read from the disk, so nothing serves them: such a server would listen
/// on all addresses.
const PROGRAMS: [&[&str]; 4] =
    [&["api-server"], &["scheduler", "--skip-serve-logs"], &["dag-processor"], &["triggerer", "--skip-serve-logs"]];

/// How long the programs may take from their start until all are healthy, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// A scheduler ends its tasks before it ends.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
const LINES_SHOWN: usize = 8;

/// Airflow, ready to be started.
#[derive(Debug)]
pub struct Airflow {
    port: u16,
    python: PathBuf,
    variables: Vec<(String, String)>,
    state: StateDir,
    prepared: Timestamp,
}

/// Installs Airflow's packages, if they are not installed yet.
pub async fn install(python_home: &Path, progress: &Reporter) -> Result<Environment, PythonError> {
    python::ensure(python_home, &REQUIREMENTS, &Search::from_env(), progress).await
}

impl Airflow {
    /// Installs Airflow and the provider, and brings a database of Airflow's own to its schema.
    pub async fn prepare(
        settings: &Settings,
        pool: &PgPool,
        state: &StateDir,
        progress: &Reporter,
    ) -> anyhow::Result<Self> {
        let environment = install(&settings.python_home, progress).await?;
        let home = files::ensure_home(state)?;
        progress.line("airflow", "preparing its provider and its database");
        run(files::provider_installation(&environment, &settings.provider, &home), "install the provider", state)
            .await?;
        let database = login::create(pool).await?;
        let since = files::first_start(&home)?;
        let values = Values { home: &home, settings, since, database, secret: login::secret() };
        let variables = variables::all(&values, std::env::vars_os())?;
        let python = environment.python();
        let airflow = Self { port: settings.port, python, variables, state: state.clone(), prepared: Timestamp::now() };
        run(airflow.program(&["db", "migrate"]), "bring Airflow's database to its schema", state).await?;
        Ok(airflow)
    }

    /// The programs to keep running.
    pub fn programs(&self) -> Vec<Program> {
        PROGRAMS.iter().map(|arguments| self.program(arguments)).collect()
    }

    fn program(&self, arguments: &[&str]) -> Program {
        let name = format!("airflow-{}", arguments.first().copied().unwrap_or_default());
        let program = Program::new(name, &self.python).clean_env().dir(self.state.root());
        let program = program.args(["-m", "airflow"]).args(arguments).stop_by(StopPlan::term(STOP_PATIENCE));
        self.variables.iter().fold(program, |program, (variable, value)| program.env(variable, value))
    }

    /// Waits until Airflow says that its database, scheduler, DAG processor and triggerer are healthy.
    pub async fn until_ready(&self, progress: &Reporter) -> anyhow::Result<()> {
        let mut missing = "its API does not answer".to_owned();
        if tokio::time::timeout(PATIENCE, health::wait(self.port, self.prepared, &mut missing)).await.is_err() {
            let logs = self.state.log("airflow-*");
            bail!(
                "Airflow was not ready within {} s: {missing}; see {}, then run again, or without --airflow",
                PATIENCE.as_secs(),
                logs.display()
            );
        }
        progress.line("airflow", &format!("ready on http://127.0.0.1:{}", self.port));
        Ok(())
    }
}

/// Runs a program to its end.
async fn run(program: Program, step: &str, state: &StateDir) -> anyhow::Result<()> {
    let process = Process::start(&program, state).with_context(|| step.to_owned())?;
    match process.wait().await {
        Exit::Code(0) => Ok(()),
        exit => bail!(
            "could not {step} ({exit}); the end of its log ({}):\n{}",
            process.log().display(),
            process.last_lines(LINES_SHOWN).join("\n")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_locked_by_its_hash() {
        let locks = REQUIREMENTS.locks.concat();
        let packages = locks.lines().filter(|line| line.contains("==")).count();
        assert!(packages > 100 && packages <= locks.matches("--hash=sha256:").count());
        let version = REQUIREMENTS.title.trim_start_matches("Airflow ");
        assert!(locks.contains(&format!("\napache-airflow=={version}.")), "the title names another version");
    }

    #[tokio::test]
    async fn a_step_that_fails_says_what_and_where() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let program = Program::new("airflow-db", "/bin/sh").args(["-c", "echo 'no such host'; exit 3"]);
        let error = run(program, "install the provider", &state).await.unwrap_err().to_string();
        assert!(error.starts_with("could not install the provider (exit code 3)"), "{error}");
        assert!(error.contains("logs/airflow-db.log") && error.ends_with("no such host"), "{error}");
    }
}
