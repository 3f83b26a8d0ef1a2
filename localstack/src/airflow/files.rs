//! Airflow's files: its home, the provider in it, and the secrets, which only the owner of the state directory can read.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::login;
use crate::env_file;
use crate::process::Program;
use crate::python::Environment;
use crate::state::StateDir;

/// The user of Airflow's pages.
pub(super) const USER: &str = "admin";

/// The file with the token of this run.
const WRITE_TOKEN: &str = "write-token";

/// Installs from the sources alone: what the provider needs is in the environment already.
const PIP: [&str; 12] = [
    "-I",
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-input",
    "--quiet",
    "--no-index",
    "--no-deps",
    "--no-build-isolation",
    "--upgrade",
    "--target",
];

/// Airflow's home, with a folder for the owner's DAGs and a password for Airflow's pages.
pub(super) fn ensure_home(state: &StateDir) -> anyhow::Result<PathBuf> {
    let home = ensure_dir(state)?;
    make_dir(&home.join("dags"))?;
    let passwords = passwords(&home);
    if !passwords.exists() {
        let text = json!({USER: login::secret().expose_secret()}).to_string();
        write(&passwords, &home, &text)?;
    }
    Ok(home)
}

/// Returns a new token for requests of runs, and writes it to a file for the owner's own requests.
pub fn write_token(state: &StateDir) -> anyhow::Result<SecretString> {
    let home = ensure_dir(state)?;
    let token = login::secret();
    write(&home.join(WRITE_TOKEN), &home, token.expose_secret())?;
    Ok(token)
}

/// When Airflow was first started here. The example DAG is scheduled from then on, because `up` itself fetches what was due before.
pub(super) fn first_start(home: &Path) -> anyhow::Result<String> {
    let file = home.join("since");
    if !file.exists() {
        write(&file, home, &Timestamp::now().to_string())?;
    }
    fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))
}

/// The file with the passwords of Airflow's users.
pub(super) fn passwords(home: &Path) -> PathBuf {
    home.join("passwords.json")
}

/// Where the provider is installed: a folder of this stack alone, because the environment belongs to all stacks of the checkout.
pub(super) fn provider(home: &Path) -> PathBuf {
    home.join("provider")
}

pub(super) fn provider_installation(environment: &Environment, sources: &Path, home: &Path) -> Program {
    let program = Program::new("airflow-provider", environment.python()).clean_env().dir(home);
    program.args(PIP).args([provider(home).as_path(), sources])
}

fn ensure_dir(state: &StateDir) -> anyhow::Result<PathBuf> {
    let home = state.root().join("airflow");
    make_dir(&home)?;
    Ok(home)
}

fn make_dir(path: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("create {}", path.display()))
}

fn write(path: &Path, dir: &Path, text: &str) -> anyhow::Result<()> {
    env_file::replace(path, dir, text.as_bytes()).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_reads_the_secrets_and_a_restart_keeps_the_password() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let first = write_token(&state).unwrap();
        let file = state.root().join("airflow").join(WRITE_TOKEN);
        assert_eq!(fs::read_to_string(&file).unwrap(), first.expose_secret());
        let home = ensure_home(&state).unwrap();
        let password = fs::read_to_string(passwords(&home)).unwrap();
        assert!(!password.contains(first.expose_secret()));
        assert_eq!((mode(&home), mode(&file), mode(&passwords(&home))), (0o700, 0o600, 0o600));
        let second = write_token(&state).unwrap();
        assert_ne!(first.expose_secret(), second.expose_secret(), "each run has its own");
        let since = first_start(&home).unwrap();
        assert!(since.parse::<Timestamp>().unwrap() <= Timestamp::now());
        ensure_home(&state).unwrap();
        assert_eq!(first_start(&home).unwrap(), since);
        assert_eq!(fs::read_to_string(passwords(&home)).unwrap(), password);
    }
}
