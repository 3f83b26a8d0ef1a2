//! What the services' code says of itself: who they are, and which settings they read.

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
    /// Whether one of the variables is set that say it. A secret may be named instead, and fetched by the program.
    pub fn is_among(&self, set: &BTreeSet<String>) -> bool {
        set.contains(&self.name) || set.contains(&format!("{}_SECRET", self.name))
    }
}

/// The services, by the folders that they are in.
pub fn services() -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(root().join("services")).context("list services")?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The code of a service, without its unit tests.
pub fn of_service(service: &str) -> anyhow::Result<String> {
    Ok(sources(&format!("services/{service}/src"))?.into_iter().map(|(_, code)| code).collect())
}

/// The settings that a service reads by itself, and through what it has of `shared`.
pub fn settings(service: &str) -> anyhow::Result<BTreeSet<Setting>> {
    let own = of_service(service)?;
    let mut settings: BTreeSet<_> = read_by(&own).collect();
    for layer in ["adapters", "runtime"] {
        for (path, code) in sources(&format!("shared/src/{layer}"))? {
            // These read what they are asked for, and the tests' own.
            if !["env.rs", "contract.rs"].iter().any(|name| path.ends_with(name)) {
                settings.extend(read_by(&code));
            }
        }
    }
    settings.extend(queues(&own).map(|role| Setting { name: queue_url_variable(&role), required: true }));
    settings.extend(own.contains(".bucket()").then(|| Setting { name: "BUCKET".to_owned(), required: true }));
    for (way, name) in [(".clock()", "CLOCK"), (".stale_after()", "STALE_AFTER")] {
        settings.extend(own.contains(way).then(|| Setting { name: name.to_owned(), required: false }));
    }
    Ok(settings)
}

/// The settings that are read by name. One that is required anywhere is required.
fn read_by(code: &str) -> impl Iterator<Item = Setting> {
    let required = [".required(", ".secret_source("].map(|way| (way, true));
    // The last is a function that a service reads settings of its own forms with: `address(env, "HEARTBEAT_URL")`.
    let optional = [".optional(", ".secret(", ".parsed_or(", ".span(", "(env, "].map(|way| (way, false));
    let ways = required.into_iter().chain(optional);
    ways.flat_map(move |(way, required)| {
        code.split(way).skip(1).filter_map(literal).map(move |name| Setting { name, required })
    })
}

/// The roles of the queues that a service consumes.
fn queues(code: &str) -> impl Iterator<Item = String> {
    code.split("service::consumer(").skip(1).filter_map(|call| literal(call.split_once(',')?.1))
}

/// The string that a text begins with.
fn literal(text: &str) -> Option<String> {
    Some(text.trim_start().strip_prefix('"')?.split_once('"')?.0.to_owned())
}
