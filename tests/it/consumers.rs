//! The owner's consumers, on a stack whose topology has some: the example, a new one of `candlewick consumer new`,
//! and those of docs/consumers.md.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, ensure};
use aws_sdk_eventbridge::Client;
use candlewick_localstack::emulator::{self, Emulator};
use candlewick_localstack::progress::silent;
use candlewick_localstack::python::{self, Search};
use candlewick_test_support::programs;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::alerts::Sink;
use crate::candles::daily;
use crate::candlewick::{candlewick, finish, root, succeed};
use crate::documents::files;
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        every_new_object_reaches_its_consumer,
        the_dead_letters_of_a_consumer_are_its_own,
        the_operator_sees_the_queue_of_a_consumer,
        the_doctor_finds_what_keeps_events_from_a_consumer,
        a_new_consumer_passes_its_test_and_runs_in_up,
        a_program_of_another_repository_is_a_consumer,
        the_python_consumer_of_the_guide_works_as_it_is_printed,
        the_lambda_consumer_of_the_guide_works_as_it_is_printed
    ]
}

const RULE: &str = "candlewick-summaries";

/// A series that has what S3 encodes in notifications and not for EventBridge.
const SYMBOL: &str = "OWN%2FUSD";

static OWN: OnceLock<Own> = OnceLock::new();

/// A stack with consumers.
struct Own {
    stack: Stack,
    /// The programs of the consumers, and their topology.
    folder: TempDir,
}

impl Own {
    /// The stack, started on first use, with an object that every consumer gets.
    fn get() -> &'static Self {
        OWN.get_or_init(|| Self::start().expect("the stack with consumers starts"))
    }

    fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let topology = topology(folder.path())?;
        fs::copy(programs::example("monthly_summary"), folder.path().join("candlewick-summaries"))?;
        let copy = checkout_with_new_consumer(folder.path())?;
        let built = programs::cargo_build(&copy, &["--locked", "--package", "candlewick-scaffolded"]);
        fs::copy(built.join("candlewick-scaffolded"), folder.path().join("candlewick-scaffolded"))?;
        let mut settings: Vec<(_, OsString)> =
            vec![("TOPOLOGY", topology.into()), ("CANDLEWICK_CONSUMERS", folder.path().into())];
        // Its emulator has EventBridge.
        settings.extend(Sink::get().settings_for_events());
        let stack = Stack::with(settings)?;
        stack.put(&format!("raw/interval=1day/symbol={SYMBOL}/candles.csv"), daily(&["2024-11-29", "2024-12-27"]))?;
        Ok(Self { stack, folder })
    }
}

/// The stack with consumers, whose notifier also sends the events of loads.
pub fn stack() -> &'static Stack {
    &Own::get().stack
}

pub fn stop_if_started() {
    if let Some(own) = OWN.get() {
        let _ = own.stack.stop(nix::sys::signal::Signal::SIGTERM);
    }
}

/// The repository's topology with consumers, as a file.
fn topology(folder: &Path) -> anyhow::Result<PathBuf> {
    let text = fs::read_to_string(root().join("topology.json")).context("read topology.json")?;
    let mut topology: Value = serde_json::from_str(&text)?;
    topology["consumers"] = json!({
        "summaries": {"of": "transformed/"},
        "scaffolded": {"of": "transformed/"},
        "counts": {"of": "transformed/"},
        "latest": {"of": "transformed/", "max_receive_count": 2, "visibility_timeout_seconds": 1},
        "lambda": {"of": "transformed/interval=1day/", "max_receive_count": 5, "visibility_timeout_seconds": 180}
    });
    let path = folder.join("topology.json");
    fs::write(&path, topology.to_string()).context("write a topology")?;
    Ok(path)
}

/// A copy of the checkout, into which `candlewick consumer new` has written.
fn checkout_with_new_consumer(folder: &Path) -> anyhow::Result<PathBuf> {
    let copy = folder.join("checkout");
    for file in files()? {
        let target = copy.join(&file);
        fs::create_dir_all(target.parent().context("find a folder")?)?;
        fs::copy(root().join(&file), target).with_context(|| format!("copy {}", file.display()))?;
    }
    let mut command = candlewick(folder);
    let said =
        succeed(command.args(["consumer", "new", "scaffolded", "--checkout"]).arg(&copy).env("CARGO", env!("CARGO")))?;
    ensure!(said.contains("wrote consumers/scaffolded/src/lib.rs"), "{said}");
    Ok(copy)
}

fn clean(symbol: &str) -> String {
    format!("transformed/interval=1day/symbol={symbol}/candles.csv")
}

/// The key of what a consumer writes about the object of a symbol.
fn result(consumer: &str, symbol: &str) -> String {
    clean(symbol).replace("transformed/", &format!("{consumer}/"))
}

/// Waits for what a consumer writes.
fn written(stack: &Stack, key: &str) -> anyhow::Result<String> {
    stack.eventually(key, || Ok(stack.object(key).is_ok()))?;
    Ok(String::from_utf8(stack.object(key)?.body.to_vec())?)
}

fn every_new_object_reaches_its_consumer() -> anyhow::Result<()> {
    let Own { stack, .. } = Own::get();
    let expected = "month,candles,first,last,open,close\n\
        2024-11,1,2024-11-29,2024-11-29,1,1\n2024-12,1,2024-12-27,2024-12-27,2,2\n";
    let summary = written(stack, &result("summaries", SYMBOL))?;
    ensure!(summary == expected, "{summary}");
    stack.eventually("the rows, which the loader has as before", || Ok(stack.rows("OWN/USD")? == 2))
}

/// The loader gives the object up too: each has the message that it received.
fn the_dead_letters_of_a_consumer_are_its_own() -> anyhow::Result<()> {
    let Own { stack, .. } = Own::get();
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

/// It has the dead letter of the test before, or gets one of its own.
fn the_operator_sees_the_queue_of_a_consumer() -> anyhow::Result<()> {
    let Own { stack, .. } = Own::get();
    stack.put(&clean("UNSEEN"), "no header\n")?;
    stack.dead_letter("SUMMARIES_DLQ_URL", "UNSEEN")?;
    let status: Value = serde_json::from_str(&succeed(candlewick(stack.state()).args(["status", "--json"]))?)?;
    let is_it = |queue: &&Value| queue["queue"] == "summaries";
    let queue = status["queues"].as_array().and_then(|queues| queues.iter().find(is_it)).context("find the queue")?;
    ensure!(queue["dead_letters"].as_u64() >= Some(1), "{queue}");
    let dashboard = stack.setting("DASHBOARD_URL");
    stack.eventually("its dead letter in the dashboard", || {
        let pipeline: Value = serde_json::from_str(&get(stack, &format!("{dashboard}/api/v1/pipeline"))?)?;
        let queues = pipeline["queues"].as_array().context("find the queues")?;
        let queue = queues.iter().find(is_it).context("find the queue in the dashboard")?;
        Ok(queue["dead_letters"].as_u64() >= Some(1) && queue["service"] == "summaries")
    })?;
    // A letter that somebody reads at the moment is hidden from others.
    stack.eventually("what to do about it", || {
        let letters = get(stack, &format!("{dashboard}/api/v1/dead-letters"))?;
        Ok(letters.contains("candlewick dlq redrive --stage summaries"))
    })?;
    let metrics = get(stack, &format!("{}/metrics", stack.setting("SUMMARIES_HEALTH_URL")))?;
    let is_counted =
        |line: &str| line.starts_with("messaging_client_consumed_messages") && line.contains("service=\"summaries\"");
    ensure!(metrics.lines().any(is_counted), "{metrics}");
    Ok(())
}

/// Provisioning repairs what the doctor finds.
fn the_doctor_finds_what_keeps_events_from_a_consumer() -> anyhow::Result<()> {
    let Own { stack, .. } = Own::get();
    let is_silent = |said: &str| said.trim() == "nothing is wrong";
    let said = succeed(candlewick(stack.state()).arg("doctor"))?;
    ensure!(is_silent(&said), "{said}");
    let events = Client::new(stack.aws().config());
    stack.run(events.disable_rule().name(RULE).send()).context("disable the rule")?;
    stack.run(events.remove_targets().rule(RULE).ids("queue").send()).context("remove the target")?;
    let (status, said) = finish(candlewick(stack.state()).arg("doctor"))?;
    ensure!(status.code() == Some(1), "{status}: {said}");
    for words in ["rule summaries: the rule of EventBridge is disabled", "the rule does not send to"] {
        ensure!(said.contains(words), "{words:?} is not in\n{said}");
    }
    succeed(candlewick(stack.state()).arg("provision"))?;
    let said = succeed(candlewick(stack.state()).arg("doctor"))?;
    ensure!(is_silent(&said), "provision left something as it was: {said}");
    let object = written(stack, &clean(SYMBOL))?;
    stack.put(&clean("REPAIRED"), object.replace("OWN/USD", "REPAIRED"))?;
    written(stack, &result("summaries", "REPAIRED")).map(drop)
}

fn cargo(folder: &Path) -> Command {
    let target = programs::target();
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(folder).env("CARGO_TARGET_DIR", target).stdin(Stdio::null());
    command
}

fn a_new_consumer_passes_its_test_and_runs_in_up() -> anyhow::Result<()> {
    let Own { stack, folder } = Own::get();
    let copy = folder.path().join("checkout");
    for arguments in [
        ["fmt", "--package", "candlewick-scaffolded", "--check"],
        ["test", "--package", "candlewick-scaffolded", "--locked"],
    ] {
        let ran = cargo(&copy).args(arguments).output().context("run cargo")?;
        ensure!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }
    let terraform = fs::read_to_string(copy.join("terraform/consumer_scaffolded.tf")).context("read its Terraform")?;
    hcl::parse(&terraform).context("read its Terraform")?;
    let counted = written(stack, &format!("scaffolded/{}", clean(SYMBOL)))?;
    ensure!(counted == "lines\n3\n", "{counted}");
    ensure!(stack.running()?.iter().any(|(name, _)| name == "scaffolded"), "{:?}", stack.running()?);
    Ok(())
}

/// The guide's blocks in a language, in their order.
fn blocks(language: &str) -> anyhow::Result<Vec<String>> {
    let guide = fs::read_to_string(root().join("docs/consumers.md")).context("read the guide")?;
    let start = format!("```{language}\n");
    let blocks = guide.split(&start).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()));
    Ok(blocks.collect())
}

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program with the addresses of the stack, as in a shell after `. .local/env`.
fn with_addresses(stack: &Stack, program: impl Into<OsString>) -> Command {
    let mut command = Command::new(program.into());
    command.envs(stack.settings()).stdin(Stdio::null());
    command
}

/// The crate of the guide, with this checkout in the place of the repository. Its topology is its own.
fn a_program_of_another_repository_is_a_consumer() -> anyhow::Result<()> {
    let Own { stack, .. } = Own::get();
    let folder = tempfile::tempdir().context("make a folder")?;
    let here = format!("path = {:?}", root().join("shared"));
    let manifest = blocks("toml")?.into_iter().next().context("find the manifest")?;
    let manifest = manifest.replace(r#"git = "https://github.com/OWNER/candlewick", tag = "v0.1.0""#, &here);
    ensure!(manifest.contains(&here), "the manifest names no repository: {manifest}");
    fs::create_dir(folder.path().join("src"))?;
    fs::write(folder.path().join("Cargo.toml"), manifest)?;
    fs::write(folder.path().join("src/main.rs"), blocks("rust")?.first().context("find the program")?)?;
    // Otherwise cargo would look for newer versions.
    fs::copy(root().join("Cargo.lock"), folder.path().join("Cargo.lock"))?;
    let program = programs::cargo_build(folder.path(), &["--offline"]).join("counts");
    let mut command = with_addresses(stack, program);
    command.env_remove("TOPOLOGY").stdout(Stdio::null()).stderr(Stdio::null());
    let _running = Running(command.spawn().context("start the program")?);
    let counted = written(stack, &result("counts", SYMBOL))?;
    ensure!(counted == "candles\n2\n", "{counted}");
    Ok(())
}

/// The Python of the emulator, which has boto3.
fn python(stack: &Stack) -> anyhow::Result<PathBuf> {
    let emulator = std::env::var("CANDLEWICK_EMULATOR").unwrap_or_default();
    let with_boto3 =
        if emulator.is_empty() || emulator == "localstack" { Emulator::LocalStack } else { Emulator::Moto };
    let home = root().join(".local");
    let search = Search::from_env();
    let progress = silent();
    let environment = python::ensure(&home, emulator::requirements(with_boto3), &search, &progress);
    Ok(stack.run(environment).context("find a Python with boto3")?.python())
}

const LAST: &str = r#"{"symbol": "OWN/USD", "interval": "1day", "time": "2024-12-27", "open": "2", "high": "2", "low": "2", "close": "2", "volume": "100", "has_volume": "true", "is_filled": "false"}"#;

fn the_python_consumer_of_the_guide_works_as_it_is_printed() -> anyhow::Result<()> {
    let Own { stack, folder } = Own::get();
    let program = folder.path().join("latest.py");
    let text = blocks("python")?.into_iter().next().context("find the program")?;
    ensure!(text.lines().count() <= 25, "the guide promises a short program");
    fs::write(&program, text)?;
    let mut command = with_addresses(stack, python(stack)?);
    let _running = Running(command.arg(program).stdout(Stdio::null()).spawn().context("start Python")?);
    let last = written(stack, &result("latest", SYMBOL))?;
    ensure!(last == LAST, "{last}");
    // It moves no message to the dead letters, so SQS does, without a reason.
    stack.put(&clean("NOTHING"), "")?;
    stack.dead_letter("LATEST_DLQ_URL", "NOTHING")?;
    let listed = letters(&succeed(candlewick(stack.state()).args(["dlq", "list", "--json", "--stage", "latest"]))?)?;
    ensure!(listed.iter().all(|letter| letter["class"] == "received_too_often"), "{listed:?}");
    Ok(())
}

/// Calls the function as AWS does, with messages of the queue. Those that did not fail are deleted.
fn the_lambda_consumer_of_the_guide_works_as_it_is_printed() -> anyhow::Result<()> {
    let Own { stack, folder } = Own::get();
    let text = blocks("python")?.into_iter().nth(1).context("find the function")?;
    fs::write(folder.path().join("lambda_function.py"), text)?;
    stack.put(&clean("EMPTY"), "")?;
    let mut command = with_addresses(stack, python(stack)?);
    command.arg(root().join("tests/readers/lambda.py")).arg("EMPTY").env("PYTHONPATH", folder.path());
    let ran = finish(&mut command)?;
    ensure!(ran.0.success(), "{}", ran.1);
    let last = written(stack, &result("lambda", SYMBOL))?;
    ensure!(last == LAST, "{last}");
    ensure!(stack.object(&result("lambda", "EMPTY")).is_err(), "it wrote something about an empty object");
    Ok(())
}
