//! Finds a Python interpreter.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::error::PythonError;

/// The names to look for on PATH. `python3` is preferred if it is one of the versions on which LocalStack is known to run
/// (3.11 to 3.13); a newer version is the last choice.
const NAMES: [&str; 4] = ["python3", "python3.13", "python3.12", "python3.11"];
const OLDEST: (u32, u32) = (3, 11);
const NEWEST_KNOWN: (u32, u32) = (3, 13);

/// Prints the version, the real path (not that of a version manager's shim), and whether Python can create environments.
const PROBE: &str = "import sys, importlib.util as u
print('.'.join(map(str, sys.version_info[:3])))
print(sys.executable)
print(all(u.find_spec(m) for m in ('venv', 'ensurepip')))";

/// Where to search for Python.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// If set, only this interpreter is considered.
    pub python: Option<PathBuf>,
    /// The directories to search, in the format of PATH.
    pub path: OsString,
}

impl Search {
    /// Searches for CANDLEWICK_PYTHON if it is set, otherwise on PATH.
    pub fn from_env() -> Self {
        let python = std::env::var_os("CANDLEWICK_PYTHON").filter(|python| !python.is_empty()).map(PathBuf::from);
        Self { python, path: std::env::var_os("PATH").unwrap_or_default() }
    }

    fn candidates(&self) -> Vec<PathBuf> {
        if let Some(python) = &self.python {
            return vec![python.clone()];
        }
        let dirs: Vec<PathBuf> = std::env::split_paths(&self.path).collect();
        let paths = NAMES.iter().flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
        paths.filter(|path| path.is_file()).collect()
    }
}

/// A supported Python interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    pub path: PathBuf,
    /// Such as `3.11.7`.
    pub version: String,
}

/// A candidate that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probed {
    interpreter: Interpreter,
    has_venv: bool,
}

/// Probes the candidates in order and returns the best.
pub(super) async fn find(search: &Search) -> Result<Interpreter, PythonError> {
    let mut probed = Vec::new();
    for candidate in search.candidates() {
        match probe(&candidate).await {
            Ok(found) if found.is_preferred() => return Ok(found.interpreter),
            Ok(found) => probed.push(found),
            Err(reason) => tracing::debug!(candidate = %candidate.display(), reason, "not a usable Python"),
        }
    }
    choose(probed, search)
}

/// Chooses if no candidate is preferred: a version newer than the known ones is accepted; otherwise the error names the candidate
/// that is closest to usable.
fn choose(probed: Vec<Probed>, search: &Search) -> Result<Interpreter, PythonError> {
    let recent = || probed.iter().filter(|found| found.minor() >= OLDEST);
    if let Some(found) = recent().find(|found| found.has_venv) {
        return Ok(found.interpreter.clone());
    }
    match recent().next() {
        Some(found) => Err(found.no_venv()),
        None => Err(PythonError::Missing { found: describe(&probed, search) }),
    }
}

impl Probed {
    fn minor(&self) -> (u32, u32) {
        let mut numbers = self.interpreter.version.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    fn is_preferred(&self) -> bool {
        self.has_venv && (OLDEST..=NEWEST_KNOWN).contains(&self.minor())
    }

    fn no_venv(&self) -> PythonError {
        let (major, minor) = self.minor();
        let Interpreter { path, version } = self.interpreter.clone();
        PythonError::NoVenv { python: path, version, package: format!("python{major}.{minor}-venv") }
    }
}

fn describe(probed: &[Probed], search: &Search) -> String {
    match (probed.first(), &search.python) {
        (Some(found), _) => format!("only Python {} ({})", found.interpreter.version, found.interpreter.path.display()),
        (None, Some(python)) => format!("that CANDLEWICK_PYTHON ({}) does not run", python.display()),
        (None, None) => "none".to_owned(),
    }
}

/// Runs the candidate. The error says why it is not usable.
pub(super) async fn probe(candidate: &Path) -> Result<Probed, String> {
    let mut command = Command::new(candidate);
    command.args(["-I", "-c", PROBE]).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    parse(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| "its output is not that of Python".to_owned())
}

fn parse(output: &str) -> Option<Probed> {
    let mut lines = output.lines();
    let version = lines.next()?.to_owned();
    let path = PathBuf::from(lines.next()?);
    let has_venv = lines.next()? == "True";
    Some(Probed { interpreter: Interpreter { path, version }, has_venv })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probed(version: &str, venv: &str) -> Probed {
        parse(&format!("{version}\n/bin/python{version}\n{venv}\n")).unwrap()
    }

    fn chosen(candidates: &[Probed]) -> Result<Interpreter, PythonError> {
        choose(candidates.to_vec(), &Search::default())
    }

    #[test]
    fn only_a_known_version_that_can_make_environments_is_best() {
        assert!(probed("3.11.0", "True").is_preferred() && probed("3.13.9", "True").is_preferred());
        assert!(!probed("3.10.18", "True").is_preferred() && !probed("3.14.0", "True").is_preferred());
        assert!(!probed("3.11.2", "False").is_preferred());
    }

    #[test]
    fn a_newer_version_is_taken_where_there_is_no_better() {
        let found = chosen(&[probed("3.11.2", "False"), probed("3.14.1", "True")]).unwrap();
        assert_eq!(found.version, "3.14.1");
    }

    #[test]
    fn a_python_without_venv_names_the_package() {
        let error = chosen(&[probed("3.9.2", "True"), probed("3.11.2", "False")]).unwrap_err();
        assert!(error.to_string().contains("apt install python3.11-venv"), "{error}");
    }

    #[test]
    fn an_old_python_alone_is_no_python() {
        let error = chosen(&[probed("3.10.13", "True")]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("needs Python 3.11 or newer") && text.contains("only Python 3.10.13"), "{text}");
    }

    #[tokio::test]
    async fn an_empty_path_is_an_error_that_says_what_to_install() {
        let error = find(&Search::default()).await.unwrap_err();
        assert!(error.to_string().contains("found none; install python3"), "{error}");
    }

    #[tokio::test]
    async fn a_demanded_python_that_does_not_run_is_named() {
        let search = Search { python: Some("/nowhere/python".into()), path: std::env::var_os("PATH").unwrap() };
        let error = find(&search).await.unwrap_err();
        assert!(error.to_string().contains("CANDLEWICK_PYTHON (/nowhere/python)"), "{error}");
    }
}
