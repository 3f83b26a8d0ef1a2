//! AWS emulators: S3, SQS and SNS on one loopback endpoint, installed from PyPI and run without Docker. Only this module and
//! its submodules know which emulator is used; all other code sees an endpoint.

mod check;
mod health;
mod kind;
mod localstack;
mod ministack;
mod moto;

use std::time::Duration;

use anyhow::{Context, bail};

pub use self::check::check;
use self::health::Health;
pub use self::kind::{Emulator, Settings, UnknownEmulator};
use crate::process::{Exit, Process, Program, StopPlan};
use crate::progress::Reporter;
use crate::python::{Environment, Requirements};
use crate::state::StateDir;

/// Returns the Python packages that an emulator needs.
pub fn requirements(emulator: Emulator) -> &'static Requirements {
    match emulator {
        Emulator::LocalStack => &localstack::REQUIREMENTS,
        Emulator::MiniStack => &ministack::REQUIREMENTS,
        Emulator::Moto => &moto::REQUIREMENTS,
    }
}

/// Returns the Python program that starts an emulator.
fn launch_script(emulator: Emulator) -> &'static str {
    match emulator {
        Emulator::LocalStack => localstack::LAUNCH,
        Emulator::MiniStack => ministack::LAUNCH,
        Emulator::Moto => moto::LAUNCH,
    }
}

/// Returns the environment variables that configure an emulator.
fn variables(settings: &Settings, state: &StateDir) -> Vec<(&'static str, String)> {
    // By default its files go to a directory that all users and stacks of the machine share.
    let dir = state.root().join(settings.emulator.name()).display().to_string();
    match settings.emulator {
        Emulator::LocalStack => localstack::variables(settings, dir),
        Emulator::MiniStack => ministack::variables(settings, dir),
        Emulator::Moto => moto::variables(settings, dir),
    }
}

/// A running emulator that is ready for requests.
#[derive(Debug)]
pub struct Started {
    pub emulator: Emulator,
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    pub process: Process,
}

impl Started {
    /// Starts the emulator and waits until all its services are loaded.
    pub async fn start(
        environment: &Environment,
        settings: &Settings,
        state: &StateDir,
        progress: &Reporter,
    ) -> anyhow::Result<Self> {
        let emulator = settings.emulator;
        progress.line(emulator.name(), "starting");
        let process = Process::start(&program(environment, settings, state)?, state)?;
        let health = tokio::select! {
            health = tokio::time::timeout(settings.patience, health::wait_until_settled(settings)) => health,
            exit = process.wait() => return Err(exited_early(&process, emulator, exit)),
        };
        if !matches!(health, Ok(Health::Ready)) {
            process.stop().await;
            bail!(not_ready(&process, settings, health.ok()));
        }
        let endpoint = format!("http://127.0.0.1:{}", settings.port);
        progress.line(emulator.name(), &format!("ready on {endpoint} ({})", settings.services.join(", ")));
        Ok(Self { emulator, endpoint, process })
    }
}

fn program(environment: &Environment, settings: &Settings, state: &StateDir) -> anyhow::Result<Program> {
    let emulator = settings.emulator;
    let dir = state.root().join(emulator.name());
    std::fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    let program = Program::new(emulator.name(), environment.python())
        .args(["-I", "-c", launch_script(emulator)])
        .clean_env()
        .dir(state.root())
        // It has nothing to save, so it does not need the default time.
        .stop_by(StopPlan::term(Duration::from_secs(5)));
    let variables = variables(settings, state).into_iter();
    Ok(variables.fold(program, |program, (name, value)| program.env(name, value)))
}

fn exited_early(process: &Process, emulator: Emulator, exit: Exit) -> anyhow::Error {
    anyhow::anyhow!("{} ended before it was ready ({exit}); {}", emulator.title(), end_of_log(process))
}

fn not_ready(process: &Process, settings: &Settings, health: Option<Health>) -> String {
    let title = settings.emulator.title();
    let what = match health {
        Some(Health::Missing(services)) => format!("{title} cannot serve {}", services.join(", ")),
        _ => format!("{title} was not ready within {} s", settings.patience.as_secs()),
    };
    format!("{what} and was stopped; {}", end_of_log(process))
}

fn end_of_log(process: &Process) -> String {
    format!("the end of its log ({}):\n{}", process.log().display(), process.last_lines(15).join("\n"))
}

/// Returns whether the emulator on the port has loaded all its services.
///
/// Fails if nothing responds on the port.
pub async fn is_ready(settings: &Settings) -> anyhow::Result<bool> {
    let title = settings.emulator.title();
    let port = settings.port;
    let health = health::query(settings).await;
    Ok(health.with_context(|| format!("query the health of {title} on port {port}"))? == Health::Ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_emulator_is_known_by_its_name() {
        for emulator in Emulator::ALL {
            assert_eq!(emulator.to_string().parse::<Emulator>().unwrap(), emulator);
        }
        assert_eq!(Emulator::default(), Emulator::ALL[0]);
    }

    #[test]
    fn an_unknown_emulator_is_told_the_known_ones() {
        let error = "localstak".parse::<Emulator>().unwrap_err().to_string();
        assert!(Emulator::ALL.iter().all(|emulator| error.contains(emulator.name())), "{error}");
    }

    #[test]
    fn every_package_is_locked_by_its_hash() {
        for emulator in Emulator::ALL {
            let locks = requirements(emulator).locks.concat();
            let packages = locks.lines().filter(|line| line.contains("==")).count();
            assert!(packages > 10 && packages <= locks.matches("--hash=sha256:").count(), "{emulator}");
        }
    }
}
