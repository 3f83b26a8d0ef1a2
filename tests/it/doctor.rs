//! The doctor, on the healthy stack, and on a bucket and queues that are broken on purpose.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use aws_sdk_sqs::types::QueueAttributeName;
use candlewick_localstack::provision::{self, QueueUrls};
use candlewick_shared::core::topology::Topology;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::candlewick::{candlewick, finish, succeed};
use crate::stack::Stack;

const BUCKET: &str = "candlewick-patient";

pub fn trials() -> Vec<Trial> {
    trials![the_doctor_is_silent_where_nothing_is_wrong, the_doctor_names_what_is_broken_and_its_mend]
}

fn the_doctor_is_silent_where_nothing_is_wrong() -> anyhow::Result<()> {
    let said = succeed(candlewick(Stack::get().state()).arg("doctor"))?;
    ensure!(said.trim() == "nothing is wrong", "{said}");
    Ok(())
}

/// The topology with separate names.
fn patient() -> Topology {
    let mut topology = Topology::built_in().clone();
    topology.queues.values_mut().for_each(|queue| queue.name = format!("patient-{}", queue.name));
    topology
}

fn provision(stack: &Stack, topology: &Topology) -> anyhow::Result<QueueUrls> {
    stack.run(provision::provision(&stack.aws(), BUCKET, topology))
}

/// The output that `terraform output -json` would print for it.
fn outputs(stack: &Stack, urls: &QueueUrls) -> anyhow::Result<PathBuf> {
    let letters = |url: &String| Topology::built_in().dead_letter_name(url);
    let letters: HashMap<_, _> = urls.iter().map(|(role, url)| (role, letters(url))).collect();
    let output = |value: Value| json!({"value": value, "type": "string", "sensitive": false});
    let text = json!({
        "bucket": output(json!(BUCKET)), "region": output(json!("us-east-1")), "queue_urls": output(json!(urls)),
        "dead_letter_queue_urls": output(json!(letters)), "alerts_topic_arn": output(json!("arn:aws:sns:us-east-1:0:alerts")),
        "database_endpoint": output(json!("db:5432"))
    });
    let path = stack.state().join("outputs.json");
    std::fs::write(&path, text.to_string()).context("write the outputs")?;
    Ok(path)
}

/// The command with addresses from Terraform only; LocalStack replaces AWS.
fn doctor(stack: &Stack, outputs: &PathBuf) -> Command {
    let mut command = candlewick(stack.state());
    command
        .args(["doctor", "--from-terraform"])
        .arg(outputs)
        .env("AWS_ENDPOINT_URL", stack.setting("AWS_ENDPOINT_URL"));
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command
}

fn set(stack: &Stack, url: &str, name: QueueAttributeName, value: &str) -> anyhow::Result<()> {
    let request = stack.aws().sqs().set_queue_attributes().queue_url(url).attributes(name, value);
    stack.run(request.send()).map(|_| ()).context("set an attribute")
}

fn the_doctor_names_what_is_broken_and_its_mend() -> anyhow::Result<()> {
    let stack = Stack::get();
    let urls = provision(stack, &patient())?;
    let outputs = outputs(stack, &urls)?;
    let said = succeed(&mut doctor(stack, &outputs))?;
    ensure!(said.ends_with("nothing is wrong\n") && said.contains("DATABASE_URL is not set"), "{said}");

    break_it(stack, &urls)?;
    let (status, said) = finish(doctor(stack, &outputs).arg("--json"))?;
    ensure!(status.code() == Some(1), "{status}: {said}");
    let examined: Value = serde_json::from_str(&said).with_context(|| said.clone())?;
    let findings = examined["findings"].as_array().context("find the findings")?;
    for (check, subject, words) in [
        ("notification", "transformed", "does not notify the queue of s3:ObjectCreated:* under transformed/"),
        ("loop", "raw", "writes under \"transformed/\": it wakes itself"),
        ("dead_letters", "raw", "no redrive policy"),
        ("retention", "ingest", "kept for 60 s"),
        ("visibility", "ingest", "VisibilityTimeout is 5 seconds, and topology.json has 30"),
        ("policy", "transformed", "does not let arn:aws:s3:::candlewick-patient write"),
        ("message_size", "transformed", "MaximumMessageSize is 1024 bytes"),
        ("delay", "raw", "DelaySeconds is 600 seconds"),
    ] {
        let is_it = |finding: &&Value| {
            finding["check"] == check
                && finding["subject"] == subject
                && finding["problem"].as_str().is_some_and(|problem| problem.contains(words))
        };
        let finding = findings.iter().find(is_it).with_context(|| format!("find {check} {subject} in {said}"))?;
        ensure!(finding["mend"].as_str().is_some_and(|mend| mend.contains("terraform apply")), "no mend: {finding}");
    }
    ensure!(findings.iter().all(|finding| finding["subject"] != "bucket"), "{said}");
    provision(stack, &patient())?;
    let said = succeed(&mut doctor(stack, &outputs))?;
    ensure!(said.ends_with("nothing is wrong\n"), "provision left something as it was: {said}");
    Ok(())
}

fn break_it(stack: &Stack, urls: &QueueUrls) -> anyhow::Result<()> {
    let mut topology = patient();
    let notification =
        |topology: &mut Topology, role: &str| topology.queues.get_mut(role).map(|queue| queue.notification.take());
    notification(&mut topology, "transformed");
    topology
        .queues
        .get_mut("raw")
        .and_then(|queue| queue.notification.as_mut())
        .context("find the notification")?
        .prefix = String::new();
    provision(stack, &topology)?;
    let url = |role: &str| urls.get(role).with_context(|| format!("find queue {role}"));
    let ingest_letters = Topology::built_in().dead_letter_name(url("ingest")?);
    set(stack, url("raw")?, QueueAttributeName::RedrivePolicy, "")?;
    set(stack, &ingest_letters, QueueAttributeName::MessageRetentionPeriod, "60")?;
    set(stack, url("ingest")?, QueueAttributeName::VisibilityTimeout, "5")?;
    set(stack, url("transformed")?, QueueAttributeName::Policy, "")?;
    set(stack, url("raw")?, QueueAttributeName::DelaySeconds, "600")?;
    set(stack, url("transformed")?, QueueAttributeName::MaximumMessageSize, "1024")
}
