//! Extracts from the services' code which services exist and which settings they read.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context;
use candlewick_shared::core::topology::queue_url_variable;

use crate::candlewick::root;
use crate::layering::sources;

/// A setting that a service reads.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    /// The environment variable.
    pub name: String,
    /// Whether the service does not start without it.
    pub required: bool,
}

impl Setting {
    /// Whether the variable is set, or the one with the suffix `_SECRET`, which names a secret for the program to
    /// fetch.
    pub fn is_among(&self, set: &BTreeSet<String>) -> bool {
        set.contains(&self.name) || set.contains(&format!("{}_SECRET", self.name))
    }
}

/// The services, by their folders.
pub fn services() -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(root().join("services")).context("list services")?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The code of a service, without its unit tests.
pub fn of_service(service: &str) -> anyhow::Result<String> {
    Ok(sources(&format!("services/{service}/src"))?.into_iter().map(|(_, code)| code).collect())
}

/// The settings that a service reads by itself, and through its modules of `shared`.
pub fn settings(service: &str) -> anyhow::Result<BTreeSet<Setting>> {
    let own = of_service(service)?;
    let mut files = sources(&format!("services/{service}/src"))?;
    for layer in ["adapters", "runtime"] {
        files.extend(sources(&format!("shared/src/{layer}"))?);
    }
    // The first reads whatever variables it is asked for, and the second the variables of tests.
    files.retain(|(path, _)| !["env.rs", "contract.rs"].iter().any(|name| path.ends_with(name)));
    let mut settings: BTreeSet<_> = files.iter().flat_map(|(_, code)| read_by(code)).collect();
    settings.extend(queues(&own).map(|role| Setting { name: queue_url_variable(&role), required: true }));
    settings.extend(own.contains(".bucket()").then(|| Setting { name: "BUCKET".to_owned(), required: true }));
    for (way, name) in [(".clock()", "CLOCK"), (".stale_after()", "STALE_AFTER")] {
        settings.extend(own.contains(way).then(|| Setting { name: name.to_owned(), required: false }));
    }
    Ok(settings)
}

/// The settings that a file reads: every string that looks like the name of a variable, however it is read, if the file
/// uses the environment at all. A setting that is required anywhere is required.
fn read_by(code: &str) -> BTreeSet<Setting> {
    if !code.contains("Env") {
        return BTreeSet::new();
    }
    let ways = [".required(", ".secret_source("].into_iter();
    let required: BTreeSet<_> = ways.flat_map(|way| code.split(way).skip(1).filter_map(literal)).collect();
    let names = variables(code).into_iter();
    names.map(|name| Setting { required: required.contains(&name), name }).collect()
}

/// The strings that look like names of variables, except those that the compiler reads.
fn variables(code: &str) -> BTreeSet<String> {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains("env!("));
    let strings = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    strings.filter(|text| is_variable(text)).map(str::to_owned).collect()
}

fn is_variable(text: &str) -> bool {
    let is_of_a_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.len() > 3 && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(is_of_a_name)
}

/// The roles of the queues that a service consumes.
fn queues(code: &str) -> impl Iterator<Item = String> {
    code.split("service::consumer(").skip(1).filter_map(|call| literal(call.split_once(',')?.1))
}

/// The string literal at the start of a text.
fn literal(text: &str) -> Option<String> {
    Some(text.trim_start().strip_prefix('"')?.split_once('"')?.0.to_owned())
}
