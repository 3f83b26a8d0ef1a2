//! Compares the stack on AWS with the code that runs on it. Terraform checks only Terraform; these tests see both.

mod actions;
mod code;
mod files;
mod names;
mod settings;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use candlewick_columnar::schema::{PRECISION, SCALE};
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::topology::{Topology, queue_url_variable};
use libtest_mimic::Trial;

use self::files::Module;
use crate::candlewick::root;
use crate::layering::sources;

pub fn trials() -> Vec<Trial> {
    let own = trials![
        terraform_runs_every_service,
        a_role_may_do_what_its_service_calls_and_no_more,
        reconcile_has_what_it_reads_and_calls_and_no_more,
        every_queue_has_its_dead_letter_queue,
        the_bucket_has_one_notification_resource,
        no_secret_is_kept_in_the_state,
        nobody_is_allowed_everything,
        athena_knows_columns_and_intervals,
        every_variable_and_output_says_what_it_is,
        every_skipped_check_says_why,
        the_costs_add_up,
        the_costs_count_every_program
    ];
    settings::trials().into_iter().chain(names::trials()).chain(own).collect()
}

fn terraform_runs_every_service() -> anyhow::Result<()> {
    let root = Module::read("")?;
    for service in code::services()? {
        let block = root.block(&["module", &service])?;
        let source = block.body().attributes().find(|attribute| attribute.key() == "source");
        ensure!(source.is_some(), "terraform runs no {service}");
    }
    Ok(())
}

fn a_role_may_do_what_its_service_calls_and_no_more() -> anyhow::Result<()> {
    let root = Module::read("")?;
    for service in code::services()? {
        let mut called = actions::called(&service)?;
        // A program fetches the secrets whose names are in its environment; ECS fetches those that it passes as values.
        if !root.keys_of(&service, "environment")?.iter().any(|name| name.ends_with("_SECRET")) {
            called.remove("secretsmanager:GetSecretValue");
        }
        let allowed = allowed(&root, &service)?;
        let missing: Vec<_> = called.difference(&allowed).collect();
        ensure!(missing.is_empty(), "{service} calls {missing:?}, and terraform/{service}.tf does not allow it");
        let spare: Vec<_> = allowed.difference(&called).collect();
        ensure!(spare.is_empty(), "terraform/{service}.tf allows {spare:?}, and {service} never calls it");
    }
    Ok(())
}

/// The operator's command that runs on a schedule: it is no service, and has its own role and settings.
fn reconcile_has_what_it_reads_and_calls_and_no_more() -> anyhow::Result<()> {
    let own = ["reconcile.rs", "reconcile/", "s3_events.rs", "place.rs"];
    let files = sources("cli/src")?;
    let is_own = |path: &Path| own.iter().any(|part| path.to_string_lossy().contains(&format!("cli/src/{part}")));
    let code: String = files.into_iter().filter(|(path, _)| is_own(path)).map(|(_, code)| code).collect();
    let root = Module::read("")?;
    let called = actions::called_by(&code)?;
    let allowed = root.actions_of(root.local("reconcile_statements")?);
    ensure!(called == allowed, "reconcile calls {called:?}, and terraform/reconcile.tf allows {allowed:?}");
    let queues = Topology::built_in().queues.iter().filter(|(_, queue)| queue.notification.is_some());
    let needed = queues.map(|(role, _)| queue_url_variable(role));
    let needed = needed.chain(["AWS_REGION", "BUCKET", "COLUMNAR", "DATABASE_IAM", "DATABASE_URL"].map(str::to_owned));
    let needed = needed.collect::<BTreeSet<_>>();
    let set = root.keys_in(root.local("reconcile_environment")?);
    ensure!(needed == set, "reconcile needs {needed:?}, and terraform/reconcile.tf sets {set:?}");
    Ok(())
}

/// The actions of a service's task role: its own statements, and those of every consumer of a queue.
fn allowed(root: &Module, service: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut allowed = root.actions_of(root.argument(service, "statements")?);
    if *root.argument(service, "queue")? != hcl::Expression::Null {
        let shared = Module::read("modules/service")?;
        allowed.extend(shared.actions_of(shared.local("consumer_statements")?));
    }
    Ok(allowed)
}

fn every_queue_has_its_dead_letter_queue() -> anyhow::Result<()> {
    for module in files::modules()? {
        let queues: BTreeSet<_> = module.resources("aws_sqs_queue").collect();
        let redriven: BTreeSet<_> = module.resources("aws_sqs_queue_redrive_policy").collect();
        let ends = |queue: &&String| queue.ends_with("dead_letter") || queue.ends_with("dead_letters");
        for queue in queues.iter().filter(|queue| !ends(queue)) {
            ensure!(redriven.contains(queue), "{}: queue {queue} has no dead-letter queue", module.name);
        }
    }
    let root = Module::read("")?;
    let made = root.argument("queue", "for_each")?.to_string();
    ensure!(made.contains("local.queues"), "the queues are not those of topology.json: {made}");
    Ok(())
}

fn the_bucket_has_one_notification_resource() -> anyhow::Result<()> {
    let all =
        files::modules()?.iter().map(|module| module.resources("aws_s3_bucket_notification").count()).sum::<usize>();
    ensure!(all == 1, "{all} notification resources: the last one to be applied overwrites the others");
    Ok(())
}

fn no_secret_is_kept_in_the_state() -> anyhow::Result<()> {
    for module in files::modules()? {
        for (path, key) in module.attributes() {
            let kept = ["secret_string", "secret_binary", "password", "master_password"].contains(&key.as_str());
            ensure!(!kept, "{path}: {key} would stand in the state; its write-only form does not");
        }
    }
    Ok(())
}

/// A policy may deny everything, and the key's owner may do everything with the key. Any other statement that allows
/// everything is wrong.
fn nobody_is_allowed_everything() -> anyhow::Result<()> {
    for module in files::modules()? {
        for statement in module.statements() {
            let exempt = ["TlsOnly", "Administration", "OurAccount"].contains(&statement.sid.as_str());
            let wide: Vec<_> =
                statement.actions.iter().filter(|action| action.ends_with(":*") || *action == "*").collect();
            ensure!(exempt || wide.is_empty(), "{}: statement {:?} allows {wide:?}", module.name, statement.sid);
        }
    }
    Ok(())
}

fn athena_knows_columns_and_intervals() -> anyhow::Result<()> {
    let root = Module::read("")?;
    let intervals: BTreeSet<_> = root.strings_of(root.local("intervals")?).into_iter().collect();
    let known: BTreeSet<_> = Interval::ALL.iter().map(|interval| interval.as_str().to_owned()).collect();
    ensure!(intervals == known, "terraform/catalog.tf has the intervals {intervals:?}, and the code {known:?}");
    let columns = root.strings_of(root.local("columns")?);
    ensure!(columns == clean_csv::COLUMNS, "terraform/catalog.tf has the columns {columns:?}");
    let decimal = root.strings_of(root.local("decimal")?);
    ensure!(decimal == [format!("decimal({PRECISION},{SCALE})")], "terraform/catalog.tf has the type {decimal:?}");
    Ok(())
}

fn every_variable_and_output_says_what_it_is() -> anyhow::Result<()> {
    for module in files::modules()? {
        for block in module.blocks().filter(|block| ["variable", "output"].contains(&block.identifier())) {
            let name = block.labels().first().context("find the name of a variable")?.as_str();
            let said = block.body().attributes().any(|attribute| attribute.key() == "description");
            ensure!(said, "{}: {} {name} has no description", module.name, block.identifier());
        }
    }
    Ok(())
}

fn every_skipped_check_says_why() -> anyhow::Result<()> {
    for (path, text) in files::texts()? {
        for skip in text.lines().filter_map(|line| line.split_once("checkov:skip=")) {
            let reason = skip.1.split_once(':').map_or("", |(_, reason)| reason.trim());
            ensure!(reason.split_whitespace().count() >= 5, "{path}: {:?} has no reason", skip.1);
        }
    }
    Ok(())
}

/// The guide's table of an example's costs: its parts, and the text after `total`.
fn costs(example: &str) -> anyhow::Result<(String, String)> {
    let guide = fs::read_to_string(root().join("docs/deploy.md")).context("read the guide")?;
    let table = guide.split_once(&format!("(`examples/{example}`)\n")).context("find the table of costs")?.1;
    let (parts, total) = table.split_once("| **total** | | **").context("find the total")?;
    Ok((parts.to_owned(), total.to_owned()))
}

/// The programs on Fargate: the services, and the tasks of the operator's image. A new one needs a price in both
/// tables.
fn the_costs_count_every_program() -> anyhow::Result<()> {
    let tasks = ["migrate", "reconcile"].map(str::to_owned);
    for example in ["minimal", "production"] {
        let (parts, _) = costs(example)?;
        for program in code::services()?.into_iter().chain(tasks.clone()) {
            ensure!(parts.contains(&program), "the costs of {example} do not count {program}");
        }
    }
    Ok(())
}

/// The guide's tables add up to their totals, and the examples state the same totals, rounded to dollars.
fn the_costs_add_up() -> anyhow::Result<()> {
    for example in ["minimal", "production"] {
        let (parts, total) = costs(example)?;
        let parts = parts.lines().filter_map(|line| line.trim_end_matches(" |").rsplit_once("| "));
        let sum: u64 = parts.filter_map(|(_, cell)| cents(cell)).sum();
        let total = total.split_once("**").and_then(|(total, _)| cents(total)).context("read the total")?;
        ensure!(sum == total, "the parts of {example} come to {sum} cents, and its total is {total}");
        let file = fs::read_to_string(root().join(format!("terraform/examples/{example}/main.tf")))?;
        let words: Vec<_> = file.split_whitespace().filter(|word| *word != "#").collect();
        let said = format!("About {} USD a month", (total + 50) / 100);
        ensure!(words.join(" ").contains(&said), "terraform/examples/{example}/main.tf does not say {said:?}");
    }
    Ok(())
}

/// The cents of an amount with two decimals: `36.73`.
fn cents(amount: &str) -> Option<u64> {
    let (whole, parts) = amount.split_once('.').filter(|(_, parts)| parts.len() == 2)?;
    format!("{whole}{parts}").parse().ok()
}
