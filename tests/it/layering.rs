//! The rules of the code that no compiler checks.

mod circles;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::candlewick::root;

pub fn trials() -> Vec<Trial> {
    trials![
        a_layer_knows_only_those_before_it,
        the_core_does_no_io,
        no_service_depends_on_another,
        main_only_wires,
        versions_stand_once,
        no_files_import_each_other_in_a_circle,
        no_program_deletes_an_object
    ]
}

const LAYERS: [&str; 5] = ["core", "ports", "adapters", "runtime", "reads"];

/// The Rust files below a folder of the checkout, without their unit tests.
pub fn sources(folder: &str) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let code = |text: String| text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    Ok(files(folder)?.into_iter().map(|(path, text)| (path, code(text))).collect())
}

/// The Rust files below a folder of the checkout.
fn files(folder: &str) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    collect(&root().join(folder), &mut files)?;
    ensure!(!files.is_empty(), "{folder} has no source: this test looks in the wrong place");
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            files.push((path, text));
        }
    }
    Ok(())
}

fn a_layer_knows_only_those_before_it() -> anyhow::Result<()> {
    for (at, layer) in LAYERS.iter().enumerate() {
        for (path, code) in sources(&format!("shared/src/{layer}"))? {
            for later in &LAYERS[at + 1..] {
                let named = format!("crate::{later}");
                ensure!(!code.contains(&named), "{}: {layer} must not know {later}", path.display());
            }
        }
    }
    Ok(())
}

/// The files of the transform that do I/O. All others only compute.
const TRANSFORM_SHELL: [&str; 4] = ["config.rs", "existing.rs", "handler.rs", "main.rs"];

/// Identifiers that appear only in code that uses I/O, a clock or the environment.
const IO: [&str; 10] =
    ["async ", "tokio", "aws_", "sqlx", "reqwest", "std::env", "std::fs", "std::net", "Timestamp::now", "SystemTime"];

fn the_core_does_no_io() -> anyhow::Result<()> {
    let transform = sources("services/transform/src")?.into_iter();
    let is_shell = |path: &Path| TRANSFORM_SHELL.iter().any(|name| path.ends_with(name));
    let pure = transform.filter(|(path, _)| !is_shell(path)).chain(sources("shared/src/core")?);
    let pure = pure.chain(sources("shared/columnar/src")?);
    for (path, code) in pure {
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        if let Some(word) = IO.iter().find(|word| code.contains(**word)) {
            anyhow::bail!("{} names {word:?}: the core decides and does no I/O", path.display());
        }
    }
    Ok(())
}

fn no_files_import_each_other_in_a_circle() -> anyhow::Result<()> {
    let services = services()?.into_iter().map(|service| format!("services/{service}/src"));
    let others = ["cli/src", "localstack/simulator/src", "localstack/src", "shared/src"].map(str::to_owned);
    for folder in services.chain(others) {
        let circle = circles::circle(&folder)?;
        ensure!(
            circle.is_none(),
            "{folder}: {} import each other in a circle",
            circle.unwrap_or_default().join(" -> ")
        );
    }
    Ok(())
}

fn manifest(folder: &str) -> anyhow::Result<toml::Table> {
    let path = root().join(folder).join("Cargo.toml");
    fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?.parse().context("read TOML")
}

fn services() -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(root().join("services")).context("list services")?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn no_service_depends_on_another() -> anyhow::Result<()> {
    for service in services()? {
        let manifest = manifest(&format!("services/{service}"))?;
        let dependencies = manifest["dependencies"].as_table().context("find the dependencies")?;
        for other in services()? {
            let package = format!("candlewick-{other}");
            ensure!(
                !dependencies.contains_key(&package),
                "{service} depends on {other}: they meet only in keys and schemas"
            );
        }
    }
    Ok(())
}

fn main_only_wires() -> anyhow::Result<()> {
    for service in services()? {
        let path = root().join(format!("services/{service}/src/main.rs"));
        let lines = fs::read_to_string(&path)?.lines().count();
        ensure!(lines <= 40, "{} has {lines} lines: main wires, and no more", path.display());
    }
    Ok(())
}

/// A deleted object can neither be inspected later nor be read by a consumer that starts over. Only the bucket's
/// lifecycle rules delete objects.
fn no_program_deletes_an_object() -> anyhow::Result<()> {
    for folder in ["shared/src", "services", "cli/src", "localstack/src"] {
        for (path, code) in sources(folder)? {
            let deletes = ["delete_object", "DeleteObject"].into_iter().find(|word| code.contains(word));
            ensure!(deletes.is_none(), "{} names {deletes:?}: nobody deletes objects", path.display());
        }
    }
    Ok(())
}

/// Versions and features of dependencies are only in the workspace's manifest, to which members refer.
fn versions_stand_once() -> anyhow::Result<()> {
    let workspace = manifest(".")?;
    let members = workspace["workspace"]["members"].as_array().context("find the members")?;
    for member in members.iter().filter_map(toml::Value::as_str) {
        for (section, dependencies) in manifest(member)?.iter().filter(|(section, _)| section.ends_with("dependencies"))
        {
            for (name, dependency) in dependencies.as_table().context("find the dependencies")? {
                let refers = dependency.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                let alone = dependency
                    .as_table()
                    .is_some_and(|table| table.keys().all(|key| key == "workspace" || key == "optional"));
                ensure!(refers && alone, "{member}: {section}.{name} does not just refer to the workspace");
            }
        }
    }
    Ok(())
}
