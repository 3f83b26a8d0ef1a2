//! Virtual environments with locked requirements. Each is created once, with the Python found on the machine.

mod environment;
mod error;
mod find;
mod install;
mod requirements;

use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::Context;
use sha2::{Digest, Sha256};

pub use self::environment::Environment;
pub use self::error::PythonError;
pub use self::find::{Interpreter, Search};
pub use self::requirements::Requirements;
use crate::progress::Reporter;

/// Returns the environment for `requirements` under `home`, and installs it first if necessary. A lock keeps two processes from
/// installing the same one.
pub async fn ensure(
    home: &Path,
    requirements: &Requirements,
    search: &Search,
    progress: &Reporter,
) -> Result<Environment, PythonError> {
    let python = find::find(search).await?;
    fs::create_dir_all(home).with_context(|| format!("create {}", home.display()))?;
    let home = home.canonicalize().with_context(|| format!("resolve {}", home.display()))?;
    let environment = Environment::new(home.join(format!("python-{}", fingerprint(requirements, &python))));
    let _lock = lock(&environment.dir().with_extension("lock"), progress).await?;
    if !works(&environment).await {
        install::install(&environment, requirements, &python, progress).await?;
    }
    Ok(environment)
}

/// Even a complete environment stops working when the Python that created it is removed.
async fn works(environment: &Environment) -> bool {
    environment.marker().exists() && find::probe(&environment.python()).await.is_ok()
}

/// Returns the part of the directory name that depends on the lock, the preparation and the Python version.
fn fingerprint(requirements: &Requirements, python: &Interpreter) -> String {
    let mut hash = Sha256::new();
    let texts = requirements.locks.iter().chain(&requirements.prepare).copied();
    for text in texts.chain([python.version.as_str()]) {
        hash.update(text);
        hash.update([0]);
    }
    short_hex(&hash.finalize())
}

/// Returns the first twelve hex digits of a hash.
pub(crate) fn short_hex(hash: &[u8]) -> String {
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

async fn lock(path: &Path, progress: &Reporter) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("lock {}", path.display())),
        Err(TryLockError::WouldBlock) => progress.line("python", "waiting for another process that is installing it"),
    }
    let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    locked.await.context("wait for a lock")?.with_context(|| format!("lock {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Requirements = Requirements { title: "", size: "", locks: &["a", "b"], prepare: None, otherwise: "" };

    #[test]
    fn another_lock_preparation_or_python_is_another_environment() {
        let python = Interpreter { path: "python3".into(), version: "3.11.7".into() };
        let newer = Interpreter { version: "3.11.8".into(), ..python.clone() };
        let base = fingerprint(&ONE, &python);
        assert_eq!(base.len(), 12);
        assert_ne!(base, fingerprint(&ONE, &newer));
        assert_ne!(base, fingerprint(&Requirements { locks: &["ab"], ..ONE }, &python));
        assert_ne!(base, fingerprint(&Requirements { prepare: Some("x"), ..ONE }, &python));
    }
}
