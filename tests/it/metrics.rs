//! The services' metrics, as Prometheus and as CloudWatch read them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::process::{Child, Command};

use anyhow::{Context, bail, ensure};
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::core::object_created::ObjectCreated;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use jiff::Timestamp;
use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::candles::daily;
use crate::candlewick::{program, root};
use crate::layering::sources;
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        prometheus_reads_the_metrics_of_each_service,
        cloudwatch_reads_the_same_from_standard_output,
        the_list_of_metrics_is_what_is_measured
    ]
}

/// A line of Prometheus' text format other than a comment.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// The metrics that each service must have after a file was processed.
const SHOWN: [(&str, &[&str]); 5] = [
    (
        "ingest",
        &["messaging_client_consumed_messages", "messaging_process_duration", "candlewick_api_credits_remaining"],
    ),
    ("transform", &["messaging_client_consumed_messages", "messaging_process_duration"]),
    ("loader", &["messaging_client_consumed_messages", "messaging_process_duration", "candlewick_candles_total"]),
    ("notifier", &["messaging_client_consumed_messages"]),
    ("dashboard", &[]),
];

fn prometheus_reads_the_metrics_of_each_service() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.put("raw/interval=1day/symbol=MEASURED/candles.csv", daily(&["2024-12-27"]))?;
    stack.eventually("the row", || Ok(stack.rows("MEASURED")? == 1))?;
    for (service, names) in SHOWN {
        stack.eventually(&format!("{service} shows {names:?}"), || {
            let (kinds, samples) = scrape(stack, service)?;
            ensure!(samples.iter().all(|sample| sample.labels.get("service").is_some_and(|own| own == service)));
            Ok(names.iter().all(|name| kinds.contains_key(*name)))
        })?;
    }
    for (service, hop) in [("transform", "raw"), ("loader", "transformed")] {
        let what = format!("the freshness behind {hop}/ of {service}");
        stack.eventually(&what, || is_histogram_of(&scrape(stack, service)?, hop))?;
    }
    Ok(())
}

/// Whether freshness is measured for a hop, with buckets that add up.
fn is_histogram_of((kinds, samples): &(BTreeMap<String, String>, Vec<Sample>), hop: &str) -> anyhow::Result<bool> {
    const NAME: &str = "candlewick_pipeline_lag_seconds";
    let of_hop = |suffix: &str| {
        let of = samples.iter().filter(move |sample| sample.labels.get("hop").is_some_and(|own| own == hop));
        let name = format!("{NAME}{suffix}");
        of.filter(|sample| sample.name == name).map(|sample| sample.value).collect::<Vec<_>>()
    };
    let buckets = of_hop("_bucket");
    let count = of_hop("_count");
    if count.is_empty() {
        return Ok(false);
    }
    ensure!(kinds.get(NAME).is_some_and(|kind| kind == "histogram"), "{NAME} is {:?}", kinds.get(NAME));
    ensure!(buckets.len() > 2 && buckets.is_sorted() && buckets.last() == count.first(), "{buckets:?}, {count:?}");
    ensure!(count[0] >= 1.0 && of_hop("_sum").len() == 1, "{samples:?}");
    Ok(true)
}

/// The type of each metric of a service, and the samples.
fn scrape(stack: &Stack, service: &str) -> anyhow::Result<(BTreeMap<String, String>, Vec<Sample>)> {
    let address = stack.setting(&format!("{}_HEALTH_URL", service.to_uppercase()));
    // An error means that a provider is already installed, and it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let text = stack.run(async {
        let answer = reqwest::get(format!("{address}/metrics")).await.context("ask for the metrics")?;
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        ensure!(answer.status() == 200 && kind.starts_with("text/plain"), "{service}: {} {kind}", answer.status());
        Ok(answer.text().await?)
    })?;
    let comments = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let kinds = comments.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let samples: anyhow::Result<_> = lines.map(|line| sample(line).with_context(|| format!("read {line:?}"))).collect();
    Ok((kinds, samples?))
}

/// Parses `name{label="value",…} number`.
fn sample(line: &str) -> anyhow::Result<Sample> {
    let (name, value) = line.rsplit_once(' ').context("find the value")?;
    let (name, labels) = match name.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').context("find the end of the labels")?),
        None => (name, ""),
    };
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    ensure!(!name.is_empty() && name.chars().all(is_of_a_name), "{name:?} is no name");
    let label = |text: &str| {
        let (name, value) = text.split_once("=\"")?;
        Some((name.to_owned(), value.strip_suffix('"')?.to_owned()))
    };
    let labels: Option<_> = labels.split(',').filter(|text| !text.is_empty()).map(label).collect();
    Ok(Sample { name: name.to_owned(), labels: labels.context("read the labels")?, value: value.parse()? })
}

/// A transform that reports to CloudWatch, with its own bucket and queue, reports the same as the others.
fn cloudwatch_reads_the_same_from_standard_output() -> anyhow::Result<()> {
    let stack = Stack::get();
    let queue = own_queue(stack)?;
    let output = stack.state().join("emf.out");
    let body = announce_object(stack)?;
    let mut transform = start_transform(stack, &queue)?;
    let work = stack.send_to(&queue, body).and_then(|()| {
        stack.eventually("freshness among the documents", || {
            let named = |document: &Value| document.get("candlewick_pipeline_lag_seconds").is_some();
            Ok(documents(&fs::read_to_string(&output)?)?.iter().any(named))
        })
    });
    stop(&mut transform)?;
    work?;
    let written = documents(&fs::read_to_string(&output)?)?;
    let names: anyhow::Result<Vec<_>> = written.iter().map(metrics_of).collect();
    let names: BTreeSet<_> = names?.into_iter().flatten().collect();
    for name in ["messaging.client.consumed.messages", "messaging.process.duration", "candlewick_pipeline_lag_seconds"]
    {
        ensure!(names.contains(name), "{name} is not among {names:?}");
    }
    Ok(())
}

const BUCKET: &str = "candlewick-emf";

fn own_queue(stack: &Stack) -> anyhow::Result<String> {
    let sqs = stack.sqs();
    let create = |name: &'static str| sqs.create_queue().queue_name(name).send();
    stack.run(create("emf-dlq")).context("create a queue")?;
    stack.run(create("emf")).context("create a queue")?.queue_url.context("find the queue's address")
}

/// Writes a raw object into a bucket without notifications, and returns a message that announces it.
fn announce_object(stack: &Stack) -> anyhow::Result<String> {
    let aws = stack.aws();
    let key = "raw/interval=1day/symbol=EMF/candles.csv";
    stack.run(async {
        aws.s3().create_bucket().bucket(BUCKET).send().await.context("create a bucket")?;
        let object = NewObject::csv(daily(&["2024-12-27"]).into_bytes(), Metadata::new());
        aws.store(BUCKET).put(key, object, PutIf::Always).await.context("put an object")
    })?;
    Ok(ObjectCreated { bucket: BUCKET, key, etag: "", size: 0, time: Timestamp::now() }.body())
}

fn start_transform(stack: &Stack, queue: &str) -> anyhow::Result<Child> {
    let mut command = Command::new(program("candlewick-transform"));
    command.env_clear().envs(stack.settings()).env("RAW_QUEUE_URL", queue).env("BUCKET", BUCKET).env("METRICS", "emf");
    command.stdout(File::create(stack.state().join("emf.out"))?).stderr(File::create(stack.state().join("emf.err"))?);
    command.spawn().context("start the transform")
}

fn stop(transform: &mut Child) -> anyhow::Result<()> {
    kill(Pid::from_raw(transform.id().try_into()?), Signal::SIGTERM).context("stop the transform")?;
    ensure!(transform.wait().context("wait for the transform")?.success(), "it did not stop as it should");
    Ok(())
}

/// The complete lines of an output, each a JSON document.
fn documents(output: &str) -> anyhow::Result<Vec<Value>> {
    let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).with_context(|| format!("read {line:?}"))).collect()
}

/// The names of the metrics of a document. The document must follow the specification of the embedded metric format:
/// every declared name is a member, each dimension is a text, and each metric is a number or up to a hundred numbers.
fn metrics_of(document: &Value) -> anyhow::Result<Vec<String>> {
    ensure!(document["_aws"]["Timestamp"].is_u64(), "it has no time: {document}");
    let directives = document["_aws"]["CloudWatchMetrics"].as_array().context("find the metrics")?;
    let mut names = Vec::new();
    for directive in directives {
        ensure!(directive["Namespace"] == "Candlewick", "{directive}");
        let sets = directive["Dimensions"].as_array().context("find the dimensions")?;
        let dimensions: Vec<_> = sets.iter().flat_map(|set| set.as_array().into_iter().flatten()).collect();
        ensure!(dimensions.iter().any(|name| *name == "service") && dimensions.len() <= 30, "{directive}");
        for name in dimensions.into_iter().filter_map(Value::as_str) {
            ensure!(document[name].is_string(), "dimension {name} is no member of {document}");
        }
        for metric in directive["Metrics"].as_array().context("find the metrics")? {
            names.push(named(document, metric)?);
        }
    }
    Ok(names)
}

fn named(document: &Value, metric: &Value) -> anyhow::Result<String> {
    let name = metric["Name"].as_str().context("find the name of a metric")?;
    match &document[name] {
        Value::Number(_) => {}
        Value::Array(values) if values.len() <= 100 && values.iter().all(Value::is_number) => {}
        // A histogram as values, each with its count.
        Value::Object(values)
            if values["Values"].as_array().map(Vec::len) == values["Counts"].as_array().map(Vec::len) => {}
        other => bail!("metric {name} is {other} in {document}"),
    }
    Ok(name.to_owned())
}

/// docs/metrics.md must list every metric, for readers who build dashboards.
fn the_list_of_metrics_is_what_is_measured() -> anyhow::Result<()> {
    let files = sources("shared/src/runtime")?;
    let (_, code) = files.iter().find(|(path, _)| path.ends_with("measures.rs")).context("find measures.rs")?;
    let calls = ["counter!(", "gauge!(", "histogram!("].into_iter().flat_map(|call| code.split(call).skip(1));
    let measured: BTreeSet<_> = calls.filter_map(|call| call.split('"').nth(1)).collect();
    let text = fs::read_to_string(root().join("docs/metrics.md")).context("read docs/metrics.md")?;
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: BTreeSet<_> = rows.map(|(name, _)| name).collect();
    ensure!(measured == listed, "measured is {measured:?}, and docs/metrics.md has {listed:?}");
    Ok(())
}
