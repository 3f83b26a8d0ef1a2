//! Builds the services' programs with this program's profile.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use tokio::process::Command;

/// This program's directory, which also contains the services' programs.
pub fn programs() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("find this program")?;
    Ok(own.parent().context("find this program's directory")?.to_owned())
}

/// Builds the workspace's default members, as `cargo run` does. With another selection, cargo could select other
/// features for the dependencies and build them twice.
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
    command.stdin(Stdio::null()).kill_on_drop(true);
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

#[cfg(test)]
mod tests {
    use candlewick_shared::core::topology::Topology;
    use toml_edit::DocumentMut;

    #[test]
    fn the_default_members_have_the_program_of_every_service() {
        let manifest: DocumentMut = include_str!("../../Cargo.toml").parse().unwrap();
        let members = manifest["workspace"]["default-members"].as_array().unwrap();
        let members: Vec<_> = members.iter().filter_map(|member| member.as_str()).collect();
        for service in Topology::built_in().services.keys() {
            assert!(members.contains(&format!("services/{service}").as_str()), "{service} is missing in {members:?}");
        }
        assert!(members.contains(&"cli") && members.contains(&"localstack/simulator"), "{members:?}");
    }
}
