//! Consumers of the owner's own, on a stack whose topology has some.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use aws_sdk_eventbridge::Client;
use candlewick_testbed::programs;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::candles::daily;
use crate::candlewick::{candlewick, finish, root, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![consumers_of_the_owner_get_every_new_object]
}

const RULE: &str = "candlewick-summaries";

/// The repository's topology with these consumers, as a file.
fn topology(folder: &Path, consumers: &Value) -> anyhow::Result<PathBuf> {
    let text = fs::read_to_string(root().join("topology.json")).context("read topology.json")?;
    let mut topology: Value = serde_json::from_str(&text)?;
    topology["consumers"] = consumers.clone();
    let path = folder.join("topology.json");
    fs::write(&path, topology.to_string()).context("write a topology")?;
    Ok(path)
}

fn consumers_of_the_owner_get_every_new_object() -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let topology = topology(folder.path(), &json!({"summaries": {"of": "transformed/"}}))?;
    let program = folder.path().join("candlewick-summaries");
    fs::copy(programs::example("monthly_summary"), program).context("copy the example")?;
    let settings = vec![("TOPOLOGY", topology), ("CANDLEWICK_CONSUMERS", folder.path().to_owned())];
    Stack::with(settings, |stack| {
        every_object_gets_its_summary(stack)?;
        its_dead_letters_are_its_own(stack)?;
        the_operator_sees_its_queue(stack)?;
        the_doctor_finds_what_keeps_events_away(stack)
    })
}

fn clean(symbol: &str) -> String {
    format!("transformed/interval=1day/symbol={symbol}/candles.csv")
}

fn summary(symbol: &str) -> String {
    clean(symbol).replace("transformed/", "summaries/")
}

/// The key has what S3 encodes in notifications and not for EventBridge.
fn every_object_gets_its_summary(stack: &Stack) -> anyhow::Result<()> {
    let symbol = "BTC%2FUSD";
    stack.put(&format!("raw/interval=1day/symbol={symbol}/candles.csv"), daily(&["2024-11-29", "2024-12-27"]))?;
    stack.eventually("the summary", || Ok(stack.object(&summary(symbol)).is_ok()))?;
    let written = String::from_utf8(stack.object(&summary(symbol))?.body.to_vec())?;
    let expected = "month,candles,first,last,open,close\n\
        2024-11,1,2024-11-29,2024-11-29,1,1\n2024-12,1,2024-12-27,2024-12-27,2,2\n";
    ensure!(written == expected, "{written}");
    stack.eventually("the rows, which the loader has as ever", || Ok(stack.rows("BTC/USD")? == 2))
}

/// The loader gives the object up too: each has the message that it received.
fn its_dead_letters_are_its_own(stack: &Stack) -> anyhow::Result<()> {
    let key = clean("UNREADABLE");
    stack.put(&key, "no header\n")?;
    for (queue, stage, class) in
        [("SUMMARIES_DLQ_URL", "summaries", "unreadable"), ("TRANSFORMED_DLQ_URL", "loader", "unreadable_object")]
    {
        let letter = stack.dead_letter(queue, "UNREADABLE")?;
        ensure!(letter.stage == stage && letter.class == class, "{letter:?}");
    }
    let list = ["dlq", "list", "--json", "--stage", "summaries"];
    let listed = letters(&succeed(candlewick(stack.state()).args(list))?)?;
    ensure!(listed.len() == 1 && listed[0]["queue"] == "summaries" && listed[0]["keys"] == json!([key]), "{listed:?}");
    // The command sends it to the queue that it came from, where it is still broken.
    let redriven = succeed(candlewick(stack.state()).args(["dlq", "redrive", "--json", "--stage", "summaries"]))?;
    ensure!(redriven.contains("\"summaries\""), "{redriven}");
    stack.eventually("another letter", || {
        let again = letters(&succeed(candlewick(stack.state()).args(list))?)?;
        Ok(again.len() == 1 && again[0]["id"] != listed[0]["id"])
    })
}

fn letters(text: &str) -> anyhow::Result<Vec<Value>> {
    let listed: Value = serde_json::from_str(text).with_context(|| text.to_owned())?;
    listed["letters"].as_array().cloned().context("find the letters")
}

fn get(stack: &Stack, url: &str) -> anyhow::Result<String> {
    // An error means that a provider is already installed, and it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(stack.run(async { reqwest::get(url).await?.error_for_status()?.text().await })?)
}

fn the_operator_sees_its_queue(stack: &Stack) -> anyhow::Result<()> {
    let status: Value = serde_json::from_str(&succeed(candlewick(stack.state()).args(["status", "--json"]))?)?;
    let is_it = |queue: &&Value| queue["queue"] == "summaries";
    let queue = status["queues"].as_array().and_then(|queues| queues.iter().find(is_it)).context("find the queue")?;
    ensure!(queue["dead_letters"] == 1, "{queue}");
    let dashboard = stack.setting("DASHBOARD_URL");
    stack.eventually("its dead letter in the dashboard", || {
        let pipeline: Value = serde_json::from_str(&get(stack, &format!("{dashboard}/api/v1/pipeline"))?)?;
        let queues = pipeline["queues"].as_array().context("find the queues")?;
        let queue = queues.iter().find(is_it).context("find the queue in the dashboard")?;
        Ok(queue["dead_letters"] == 1 && queue["service"] == "summaries")
    })?;
    let letters = get(stack, &format!("{dashboard}/api/v1/dead-letters"))?;
    ensure!(letters.contains("candlewick dlq redrive --stage summaries"), "{letters}");
    let metrics = get(stack, &format!("{}/metrics", stack.setting("SUMMARIES_HEALTH_URL")))?;
    let counted = metrics
        .lines()
        .any(|line| line.starts_with("messaging_client_consumed_messages") && line.contains("service=\"summaries\""));
    ensure!(counted, "{metrics}");
    Ok(())
}

/// Provisioning repairs what the doctor finds.
fn the_doctor_finds_what_keeps_events_away(stack: &Stack) -> anyhow::Result<()> {
    let silent = |said: &str| said.trim() == "nothing is wrong";
    let said = succeed(candlewick(stack.state()).arg("doctor"))?;
    ensure!(silent(&said), "{said}");
    let aws = stack.aws();
    let events = Client::new(aws.config());
    stack.run(events.disable_rule().name(RULE).send()).context("disable the rule")?;
    stack.run(events.remove_targets().rule(RULE).ids("queue").send()).context("remove the target")?;
    let (status, said) = finish(candlewick(stack.state()).arg("doctor"))?;
    ensure!(status.code() == Some(1), "{status}: {said}");
    for words in ["rule summaries: the rule of EventBridge is disabled", "the rule does not send to"] {
        ensure!(said.contains(words), "{words:?} is not in\n{said}");
    }
    succeed(candlewick(stack.state()).arg("provision"))?;
    let said = succeed(candlewick(stack.state()).arg("doctor"))?;
    ensure!(silent(&said), "provision left something as it was: {said}");
    let object = String::from_utf8(stack.object(&clean("BTC%2FUSD"))?.body.to_vec())?;
    stack.put(&clean("REPAIRED"), object.replace("BTC/USD", "REPAIRED"))?;
    stack.eventually("the next summary", || Ok(stack.object(&summary("REPAIRED")).is_ok()))
}
