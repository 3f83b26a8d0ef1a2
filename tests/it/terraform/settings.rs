//! Compares the settings that the code reads with Terraform, and with the list for users.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, ensure};
use candlewick_shared::core::topology::Topology;
use libtest_mimic::Trial;

use super::code;
use super::files::Module;
use crate::candlewick::root;

pub fn trials() -> Vec<Trial> {
    trials![
        every_setting_that_a_service_reads_is_set,
        every_setting_is_seen_however_it_is_read,
        the_settings_of_the_topology_are_what_the_services_read,
        the_documented_settings_are_those_of_the_topology,
        no_default_is_relied_on_that_nobody_reads
    ]
}

/// Settings for which a service rightly uses its default, and why.
const DEFAULTS: [(&str, &str); 54] = [
    ("ALERT_DISCORD_WEBHOOK_URL", "`notifier_secrets` has it where somebody wants it"),
    ("ALERT_EMAIL_FROM", "the topic sends the mails"),
    ("ALERT_EMAIL_TO", "the topic sends the mails"),
    ("ALERT_GROUP_INTERVAL", "the usual pace of telling people"),
    ("ALERT_GROUP_WAIT", "the usual pace of telling people"),
    ("ALERT_PAGERDUTY_ROUTING_KEY", "`notifier_secrets` has it where somebody wants it"),
    ("ALERT_PAGERDUTY_URL", "the service's own address"),
    ("ALERT_REPEAT_INTERVAL", "the usual pace of telling people"),
    ("ALERT_SLACK_WEBHOOK_URL", "the topic is the channel"),
    ("ALERT_SMTP_URL", "the topic sends the mails"),
    ("ALERT_TEAMS_WEBHOOK_URL", "`notifier_secrets` has it where somebody wants it"),
    ("ALERT_TELEGRAM_API_URL", "the service's own address"),
    ("ALERT_TELEGRAM_CHAT", "`notifier_settings` has it where somebody wants it"),
    ("ALERT_TELEGRAM_TOKEN", "`notifier_secrets` has it where somebody wants it"),
    ("ALERT_WEBHOOK_URL", "the topic is the channel"),
    ("BYTES_IN_FLIGHT", "it follows from MEMORY_LIMIT"),
    ("CALENDAR_HORIZON", "sixty days are enough for a new version"),
    ("CLOCK", "the real time"),
    ("CONSUMERS_LOST", "three are enough to know a killer"),
    ("DASHBOARD_CLIENTS", "512 open connections fit into the smallest task"),
    ("DASHBOARD_CONNECTIONS", "eight are enough for one task"),
    ("DASHBOARD_EDIT_TOKEN", "`dashboard_editing` sets it"),
    ("DASHBOARD_EVENT_STREAMS", "256 open pages fit into the smallest task"),
    ("DASHBOARD_EVENT_STREAMS_PER_ADDRESS", "32 open pages are enough for one visitor"),
    ("DASHBOARD_FRAME_ANCESTORS", "`dashboard_frame_ancestors` has it where somebody wants it"),
    ("DASHBOARD_PASSWORD", "visitors present the token"),
    ("DASHBOARD_REQUESTS_PER_SECOND", "fifty of one visitor are enough"),
    ("DASHBOARD_REQUEST_TIMEOUT", "twenty seconds are longer than a question to the database may take"),
    ("DATABASE_IAM", "a service with no database has no login"),
    ("DIGEST_AT", "eight in the morning"),
    ("DIGEST_ZONE", "UTC, as everything on AWS"),
    ("ECS_AGENT_URI", "ECS sets it"),
    ("HEALTH_LISTEN", "the image sets it"),
    ("HISTORY_DAYS", "ninety days, as docs/decisions/history.md has it"),
    ("LOADED_EVENT_BUS", "`loaded_event_bus` names it where somebody wants it"),
    ("LOADED_SNS_TOPIC_ARN", "`loaded_topic` makes one where somebody wants it"),
    ("LOADED_WEBHOOK_SECRET", "`notifier_secrets` has it where somebody wants it"),
    ("LOADED_WEBHOOK_URL", "`notifier_secrets` has it where somebody wants it"),
    ("HEARTBEAT_URL", "`notifier_secrets` has it where somebody wants it"),
    ("LEASE_SECONDS", "the visibility timeout of topology.json, which the queue has too"),
    ("MEMORY_LIMIT", "what reads no objects of others bounds nothing by it"),
    ("OPENLINEAGE", "lineage is kept where somebody asks for it"),
    ("OPENLINEAGE_URL", "lineage is sent if a receiver is set"),
    ("SCHEDULE", "EventBridge Scheduler sends the message"),
    ("SCHEDULE_TIMEZONE", "EventBridge Scheduler sends the message"),
    ("SIMULATOR_URL", "there is the API itself, and a key to it"),
    ("CONCURRENCY", "four; `sizes` says otherwise"),
    ("STALE_AFTER", "26 hours: a day and what a daily run takes"),
    ("SWEEP_EVERY", "a minute costs a few queries"),
    ("TOPOLOGY", "the images have it; with consumers of your own, Terraform passes its own on"),
    ("TRUST_FIRST_WRITTEN", "nothing is put back: S3 forgets no object"),
    ("TWELVEDATA_CREDITS_PER_DAY", "TWELVEDATA_PLAN says it"),
    ("TWELVEDATA_CREDITS_PER_MINUTE", "TWELVEDATA_PLAN says it"),
    ("TWELVEDATA_URL", "the API's own address"),
];

fn every_setting_that_a_service_reads_is_set() -> anyhow::Result<()> {
    let root = Module::read("")?;
    for service in code::services()? {
        let mut set = root.keys_of(&service, "environment")?;
        set.extend(root.keys_of(&service, "secrets")?);
        for setting in code::settings(&service)? {
            let by_default = !setting.required && DEFAULTS.iter().any(|(name, _)| *name == setting.name);
            ensure!(
                by_default || setting.is_among(&set),
                "{service} reads {}, and terraform/{service}.tf does not set it",
                setting.name
            );
        }
    }
    Ok(())
}

/// By an explicit type, by a name that is passed to a closure, and by a constant.
fn every_setting_is_seen_however_it_is_read() -> anyhow::Result<()> {
    for (service, name) in [
        ("dashboard", "DASHBOARD_CONNECTIONS"),
        ("ingest", "TWELVEDATA_CREDITS_PER_DAY"),
        ("loader", "HEALTH_LISTEN"),
        ("notifier", "SWEEP_EVERY"),
    ] {
        ensure!(code::settings(service)?.iter().any(|setting| setting.name == name), "{service} reads {name}, unseen");
    }
    Ok(())
}

/// `topology.json` lists the settings, and the services read exactly those.
fn the_settings_of_the_topology_are_what_the_services_read() -> anyhow::Result<()> {
    for service in code::services()? {
        let listed: BTreeSet<_> = Topology::built_in().settings_of(&service).map(|(name, _)| name.to_owned()).collect();
        let read: BTreeSet<_> = code::settings(&service)?.into_iter().map(|setting| setting.name).collect();
        // Code that all services share reads settings that some of them never reach.
        let known = &Topology::built_in().settings;
        let own = code::of_service(&service)?;
        let is_read = |name: &&String| own.contains(name.as_str()) || !known.contains_key(*name);
        let missing: Vec<_> = read.difference(&listed).filter(is_read).collect();
        ensure!(missing.is_empty(), "{service} reads {missing:?}, and topology.json does not list them for it");
        // Every service sends alerts through shared code.
        let is_spare = |name: &&String| !own.contains(name.as_str()) && *name != "ALERTS_QUEUE_URL";
        let spare: Vec<_> = listed.difference(&read).filter(is_spare).collect();
        ensure!(spare.is_empty(), "topology.json lists {spare:?} for {service}, which does not read them");
    }
    Ok(())
}

/// Users find each setting in docs/settings.md, with the text of `topology.json`.
fn the_documented_settings_are_those_of_the_topology() -> anyhow::Result<()> {
    let text = fs::read_to_string(root().join("docs/settings.md")).context("read docs/settings.md")?;
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows: BTreeMap<_, _> =
        rows.filter_map(|row| Some((row.strip_prefix("| `")?.split_once('`')?.0, row))).collect();
    let settings = &Topology::built_in().settings;
    for (name, setting) in settings {
        let row = rows.get(name.as_str()).with_context(|| format!("docs/settings.md lacks {name}"))?;
        let end = format!("| {} | {} |", setting.help, setting.default);
        ensure!(row.ends_with(&end), "docs/settings.md says of {name}: {row}\nand topology.json: {end}");
    }
    let spare: Vec<_> = rows.keys().filter(|name| !settings.contains_key(**name)).collect();
    ensure!(spare.is_empty(), "docs/settings.md lists {spare:?}, which no service reads");
    Ok(())
}

fn no_default_is_relied_on_that_nobody_reads() -> anyhow::Result<()> {
    let mut read = BTreeSet::new();
    for service in code::services()? {
        read.extend(code::settings(&service)?.into_iter().map(|setting| setting.name));
    }
    for (name, _) in DEFAULTS {
        ensure!(read.contains(name), "no service reads {name}: take it off the list of defaults");
    }
    Ok(())
}
