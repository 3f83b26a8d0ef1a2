//! Builds the programs of the workspace into the target directory of the test that asks for them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the checkout.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// Builds every program of the workspace in the profile of the running program, and returns their folder. `cargo test`
/// itself builds tests, and programs only of the packages that it tests.
#[must_use]
pub fn build() -> PathBuf {
    // The same selection as that of `up`, so that `up` has nothing left to build.
    cargo_build(root(), &["--locked", "--bins"])
}

/// Builds an example of the shared crate, and returns its path.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    cargo_build(root(), &["--locked", "--package", "candlewick-shared", "--example", name]).join("examples").join(name)
}

/// The folder of the running program's profile.
fn folder() -> PathBuf {
    std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned()
}

/// The target directory of the running program.
#[must_use]
pub fn target() -> PathBuf {
    folder().parent().unwrap().to_owned()
}

/// Builds what is selected of a workspace in the profile and the target directory of the running program, and returns the
/// folder of the programs.
#[must_use]
pub fn cargo_build(workspace: &Path, selection: &[&str]) -> PathBuf {
    let programs = folder();
    let profile = if programs.ends_with("debug") { "dev" } else { "release" };
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(workspace).args(["build", "--quiet", "--profile", profile]).args(selection);
    command.arg("--target-dir").arg(target());
    // A change of these variables would make build scripts that read them run again.
    let about_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    let names = std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_str().is_some_and(about_package));
    for name in names {
        command.env_remove(name);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "the programs do not build:\n{}", String::from_utf8_lossy(&output.stderr));
    programs
}
