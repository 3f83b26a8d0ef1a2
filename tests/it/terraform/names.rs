//! Compares paths, ports, variables, commands and names in Terraform, compose and the Dockerfile with those of the
//! programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, ensure};
use candlewick_shared::adapters::postgres_users::GROUPS;
use candlewick_shared::core::topology::{Topology, queue_url_variable};
use libtest_mimic::Trial;
use serde_json::Value;

use super::code::{self, Setting};
use super::files::{self, Module};
use crate::candlewick::{candlewick, root, succeed};

pub fn trials() -> Vec<Trial> {
    trials![
        health_checks_ask_a_path_that_is_served_without_a_secret,
        every_port_is_the_one_that_its_program_listens_at,
        every_setting_that_terraform_makes_is_read,
        no_secret_is_a_setting_of_a_container,
        compose_sets_what_each_service_reads_and_nothing_else,
        compose_names_the_queues_of_the_topology,
        every_image_is_a_target_of_the_dockerfile,
        every_command_that_is_run_is_one_of_the_operators,
        every_database_user_has_a_group_that_the_schema_makes,
        every_prefix_in_terraform_is_one_of_the_topology
    ]
}

/// Variables that libraries read in every program: the AWS SDK, and the filter of the logs.
const BY_LIBRARIES: [&str; 5] =
    ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "RUST_LOG"];

/// The addresses that the dashboard's router serves without a login: those that are added after it.
fn open_paths() -> anyhow::Result<BTreeSet<String>> {
    let router = text("services/dashboard/src/router.rs")?;
    let open = router.split_once("auth::guard)").context("find the login in the router")?.1;
    Ok(open.split(".route(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect())
}

fn health_checks_ask_a_path_that_is_served_without_a_secret() -> anyhow::Result<()> {
    let open = open_paths()?;
    let mut asked = 0;
    for (file, text) in files::texts()? {
        for check in text.split("health_check {").skip(1) {
            let path = check.lines().find_map(|line| line.trim().strip_prefix("path")?.split('"').nth(1));
            let path = path.with_context(|| format!("{file}: a health check asks no path"))?;
            ensure!(open.contains(path), "{file}: {path} is asked, and the dashboard serves {open:?} without a secret");
            asked += 1;
        }
    }
    ensure!(asked > 0, "no health check was found: this test looks in the wrong place");
    Ok(())
}

fn every_port_is_the_one_that_its_program_listens_at() -> anyhow::Result<()> {
    let dashboard = between("services/dashboard/src/config.rs", "Ipv4Addr::LOCALHOST, ", ")")?;
    let simulator = between("localstack/simulator/src/settings.rs", "default_value = \"127.0.0.1:", "\"")?;
    let terraform = Module::read("")?.local("dashboard_port")?.to_string();
    ensure!(terraform == dashboard, "terraform calls the dashboard at {terraform}, and it listens at {dashboard}");
    let compose = Compose::read()?;
    let listen = compose.environment("dashboard")?.get("DASHBOARD_LISTEN").cloned().unwrap_or_default();
    ensure!(listen == format!("0.0.0.0:{dashboard}"), "in compose the dashboard listens at {listen}");
    let published = compose.0["services"]["dashboard"]["ports"][0].as_str().unwrap_or_default().to_owned();
    ensure!(published.ends_with(&format!(":{dashboard}")), "compose publishes {published} of the dashboard");
    let asked = compose.environment("ingest")?.get("SIMULATOR_URL").cloned().unwrap_or_default();
    ensure!(asked == format!("http://simulator:{simulator}"), "compose asks the simulator at {asked}");
    let listens = between("Dockerfile", "CMD [\"--listen\", \"0.0.0.0:", "\"")?;
    ensure!(listens == simulator, "the simulator's image listens at {listens}");
    Ok(())
}

/// A variable that nobody reads is a setting without effect. Variables that all services share must be read by at least
/// one of them.
fn every_setting_that_terraform_makes_is_read() -> anyhow::Result<()> {
    let root = Module::read("")?;
    let shared = root.keys_in(root.local("environment")?);
    let mut by_any = BTreeSet::new();
    for service in code::services()? {
        let mut set = root.keys_of(&service, "environment")?;
        set.extend(root.keys_of(&service, "secrets")?);
        let read = code::settings(&service)?;
        let own = set.difference(&shared).cloned().collect();
        let spare = unread(&read, &own);
        ensure!(spare.is_empty(), "terraform/{service}.tf sets {spare:?}, and {service} reads none of them");
        by_any.extend(read);
    }
    let spare = unread(&by_any, &shared);
    ensure!(spare.is_empty(), "terraform/cluster.tf sets {spare:?}, and no service reads any of them");
    Ok(())
}

/// The environment of a container is part of the state, and visible to everybody who may inspect a task.
fn no_secret_is_a_setting_of_a_container() -> anyhow::Result<()> {
    let endings = ["_TOKEN", "_PASSWORD", "_KEY", "_WEBHOOK_URL", "_SMTP_URL", "HEARTBEAT_URL"];
    let root = Module::read("")?;
    for service in code::services()? {
        let set = root.keys_of(&service, "environment")?;
        let secret = set.iter().find(|name| endings.iter().any(|ending| name.ends_with(ending)));
        ensure!(secret.is_none(), "terraform/{service}.tf has {secret:?} as a setting of the container");
    }
    Ok(())
}

fn unread(read: &BTreeSet<Setting>, set: &BTreeSet<String>) -> Vec<String> {
    let is_read = |name: &str| {
        let plain = name.trim_end_matches("_FILE").trim_end_matches("_SECRET");
        BY_LIBRARIES.contains(&name) || read.iter().any(|setting| [name, plain].contains(&setting.name.as_str()))
    };
    set.iter().filter(|name| !is_read(name)).cloned().collect()
}

/// Compose gives every service the variables that all of them share, so only those that no service reads are unwanted.
fn compose_sets_what_each_service_reads_and_nothing_else() -> anyhow::Result<()> {
    let compose = Compose::read()?;
    let mut by_any = BTreeSet::new();
    let mut set_by_any = BTreeSet::new();
    for service in code::services()? {
        let settings = code::settings(&service)?;
        let set: BTreeSet<_> = compose.environment(&service)?.into_keys().collect();
        for setting in settings.iter().filter(|setting| setting.required) {
            ensure!(setting.is_among(&set), "compose does not give {service} its {}", setting.name);
        }
        by_any.extend(settings);
        set_by_any.extend(set);
    }
    let spare = unread(&by_any, &set_by_any);
    ensure!(spare.is_empty(), "compose sets {spare:?}, and no service reads any of them");
    let owner = compose.environment("provision")?.remove("DATABASE_URL").context("find the owner's login")?;
    for service in code::services()? {
        let own = compose.environment(&service)?.remove("DATABASE_URL");
        let user = GROUPS.iter().any(|(name, _)| *name == service).then(|| format!("postgres://candlewick_{service}:"));
        let fits = own.as_deref().map(|url| url.split_inclusive(':').take(2).collect::<String>()) == user;
        ensure!(fits && own.as_ref() != Some(&owner), "in compose {service} does not log in as {user:?}");
    }
    Ok(())
}

fn compose_names_the_queues_of_the_topology() -> anyhow::Result<()> {
    let compose = Compose::read()?;
    for service in code::services()? {
        let environment = compose.environment(&service)?;
        for (role, queue) in &Topology::built_in().queues {
            let url = environment.get(&queue_url_variable(role)).map(String::as_str).unwrap_or_default();
            ensure!(url.rsplit('/').next() == Some(&queue.name), "in compose {service} has {url:?} for queue {role}");
        }
    }
    Ok(())
}

fn every_image_is_a_target_of_the_dockerfile() -> anyhow::Result<()> {
    let dockerfile = text("Dockerfile")?;
    let stages = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")?.split_once(" AS "));
    let targets: BTreeSet<_> = stages.map(|(_, name)| name.to_owned()).collect();
    for service in code::services()? {
        ensure!(targets.contains(&service), "the Dockerfile has no target {service}");
        ensure!(
            dockerfile.contains(&format!("\"candlewick-{service}\", \"healthcheck\"")),
            "{service} has no health check"
        );
    }
    let compose = Compose::read()?;
    for (name, service) in compose.services()? {
        let image = service["image"].as_str().unwrap_or_default();
        let Some(target) = own_image(image) else { continue };
        ensure!(targets.contains(target), "compose runs {image} as {name}, and the Dockerfile has no such target");
        let built = service["build"]["target"].as_str();
        ensure!(built.is_none_or(|built| built == target), "compose builds {built:?} and calls it {image}");
    }
    let services: BTreeSet<_> = Topology::built_in().services.keys().cloned().collect();
    ensure!(services == code::services()?.into_iter().collect(), "topology.json has the services {services:?}");
    let expression = Module::read("")?.local("services")?.to_string();
    ensure!(expression.contains("local.topology.services"), "terraform/topology.tf has the services {expression}");
    Ok(())
}

/// The program of one of our images: `…/ingest:TAG`.
fn own_image(image: &str) -> Option<&str> {
    let (repository, name) = image.rsplit_once('/')?;
    repository.contains("candlewick").then(|| name.split_once(':').map_or(name, |(name, _)| name))
}

/// With `--help` appended, the command rejects unknown subcommands and does nothing else.
fn every_command_that_is_run_is_one_of_the_operators() -> anyhow::Result<()> {
    let mut commands = Vec::new();
    for (name, service) in Compose::read()?.services()? {
        if own_image(service["image"].as_str().unwrap_or_default()) != Some("candlewick") {
            continue;
        }
        let words = service["command"].as_array().cloned().unwrap_or_default();
        let words = words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
        commands.push(words.with_context(|| format!("read the command of {name} in compose"))?);
    }
    let root = Module::read("")?;
    for task in ["migrate", "reconcile"] {
        let mut words = root.strings_of(root.argument(task, "command")?);
        words.extend(options(root.argument(task, "arguments")?));
        commands.push(words);
    }
    ensure!(commands.len() > 2, "no command was found: this test looks in the wrong place");
    let state = tempfile::tempdir().context("make a folder")?;
    for words in commands {
        succeed(candlewick(state.path()).args(&words).arg("--help")).with_context(|| format!("run {words:?}"))?;
    }
    Ok(())
}

/// The options that an expression writes; a user and its group replace interpolated values.
fn options(expression: &hcl::Expression) -> Vec<String> {
    let text = expression.to_string();
    let words = text.split('"').filter_map(|word| word.strip_prefix("--"));
    words
        .map(|word| format!("--{}", word.split_once("=$").map_or(word.to_owned(), |(name, _)| format!("{name}=a=b"))))
        .collect()
}

fn every_database_user_has_a_group_that_the_schema_makes() -> anyhow::Result<()> {
    let root = Module::read("")?;
    let mut users: BTreeSet<_> = root.strings_of(root.local("database_services")?).into_iter().collect();
    let services = Topology::built_in().services.iter().filter(|(_, service)| service.database);
    users.extend(services.map(|(name, _)| name.clone()));
    let groups = root.local("database_groups")?;
    ensure!(root.keys_in(groups) == users, "terraform gives a group to {:?}, of {users:?}", root.keys_in(groups));
    let folder = root_folder("shared/migrations")?;
    for (service, group) in GROUPS {
        ensure!(folder.contains(&format!("'{group}'")), "no migration makes {group}, the group of {service}");
        let said = groups.to_string();
        ensure!(said.contains(&format!("\"{group}\"")), "terraform does not make {service} a member of {group}");
    }
    Ok(())
}

fn root_folder(name: &str) -> anyhow::Result<String> {
    let mut all = String::new();
    for entry in fs::read_dir(root().join(name)).with_context(|| format!("list {name}"))? {
        all.push_str(&fs::read_to_string(entry?.path()).with_context(|| format!("read {name}"))?);
    }
    Ok(all)
}

/// A prefix that is written out rather than taken from `topology.json` would not follow its changes.
fn every_prefix_in_terraform_is_one_of_the_topology() -> anyhow::Result<()> {
    let known = &Topology::built_in().prefixes;
    let prefixes = [&known.raw, &known.transformed, &known.reports, &known.quarantine];
    for (file, text) in files::texts()? {
        let code = text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.contains("description"));
        for line in code {
            let written = prefixes
                .iter()
                .find(|prefix| line.contains(&format!("\"{prefix}")) || line.contains(&format!("/{prefix}*")));
            ensure!(written.is_none(), "{file} writes out the prefix {written:?}: {line}");
        }
    }
    Ok(())
}

fn text(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("read {path}"))
}

/// The text between two texts in a file.
fn between(path: &str, before: &str, after: &str) -> anyhow::Result<String> {
    let text = text(path)?;
    let rest = text.split_once(before).with_context(|| format!("find {before:?} in {path}"))?.1;
    Ok(rest.split_once(after).with_context(|| format!("find {after:?} in {path}"))?.0.to_owned())
}

/// `docker-compose.yml`, with its merge keys resolved.
struct Compose(Value);

impl Compose {
    fn read() -> anyhow::Result<Self> {
        serde_saphyr::from_str(&text("docker-compose.yml")?).map(Self).context("read docker-compose.yml")
    }

    fn services(&self) -> anyhow::Result<impl Iterator<Item = (&String, &Value)>> {
        Ok(self.0["services"].as_object().context("find the services of compose")?.iter())
    }

    /// The environment of a service's container.
    fn environment(&self, service: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let set = self.0["services"][service]["environment"].as_object();
        let set = set.with_context(|| format!("find the environment of {service} in compose"))?;
        Ok(set.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect())
    }
}
