//! Builds the services' programs with this program's profile.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use candlewick_shared::core::topology::Topology;
use tokio::process::Command;

/// The packages whose programs `up` starts, and this one. Without this one cargo could select other features for the
/// dependencies, and build them twice.
fn packages() -> impl Iterator<Item = String> {
    let services = Topology::built_in().services.keys().map(String::as_str);
    services.chain(["cli", "simulator"]).map(|name| format!("candlewick-{name}"))
}

/// This program's directory, which also contains the services' programs.
pub fn programs() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("find this program")?;
    Ok(own.parent().context("find this program's directory")?.to_owned())
}

pub async fn build(root: &Path) -> anyhow::Result<()> {
    let programs = programs()?;
    let profile = match programs.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let target = programs.parent().context("find the target directory")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["build", "--quiet", "--locked", "--bins", "--profile", profile])
        .arg("--target-dir")
        .arg(target);
    without_own_package(&mut command);
    command.args(packages().flat_map(|package| ["-p".to_owned(), package])).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.context("run cargo (is Rust's cargo on PATH?)")?;
    if !output.status.success() {
        bail!("cargo could not build the services:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Removes the variables by which `cargo run` describes the package. Otherwise build scripts that read them would run
/// again.
fn without_own_package(command: &mut Command) {
    let about_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    let names = std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_str().is_some_and(about_package));
    names.for_each(|name| {
        command.env_remove(name);
    });
}
