//! The events of loads, as programs outside receive and follow them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, ensure};
use aws_sdk_sqs::types::QueueAttributeName;
use candlewick_shared::ports::queue::Queue;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::alerts::Sink;
use crate::candles::daily;
use crate::candlewick::{candlewick, root, succeed};
use crate::consumers;
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![a_load_is_told_to_a_webhook_and_a_bus_and_to_those_who_follow, a_wrong_cursor_is_refused_in_words]
}

const SYMBOL: &str = "EVENTED";

const KEY: &str = "raw/interval=1day/symbol=EVENTED/candles.csv";

/// How long a follower may take for a line. It only bounds failures.
const PATIENCE: Duration = Duration::from_secs(60);

/// `candlewick events --follow` for one symbol, until this is dropped.
struct Follower {
    child: Child,
    lines: Receiver<String>,
}

impl Follower {
    fn start(stack: &Stack) -> anyhow::Result<Self> {
        let mut command = candlewick(stack.state());
        command.args(["events", "--follow", "--after", "0", "--json", "--symbol", SYMBOL]).stdout(Stdio::piped());
        let mut child = command.spawn().context("follow the events")?;
        let stdout = child.stdout.take().context("open the output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)))
        });
        Ok(Self { child, lines })
    }

    fn next(&self) -> anyhow::Result<Value> {
        let line = self.lines.recv_timeout(PATIENCE).context("wait for an event")?;
        serde_json::from_str(&line).with_context(|| format!("read {line}"))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A queue that receives the events of the symbol from the bus; its URL.
fn subscribe(stack: &Stack) -> anyhow::Result<String> {
    let aws = stack.aws();
    let bus = aws_sdk_eventbridge::Client::new(aws.config());
    stack.run(async {
        let url = aws.sqs().create_queue().queue_name("evented").send().await?.queue_url.context("read the URL")?;
        let asked = aws.sqs().get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
        let attributes = asked.send().await?.attributes.unwrap_or_default();
        let arn = attributes.get(&QueueAttributeName::QueueArn).context("read the ARN")?;
        let pattern = json!({"source": ["candlewick"], "detail-type": ["candles.loaded"], "detail": {"data": {"symbol": [SYMBOL]}}});
        bus.put_rule().name("evented").event_pattern(pattern.to_string()).send().await?;
        let target = aws_sdk_eventbridge::types::Target::builder().id("1").arn(arn);
        bus.put_targets().rule("evented").targets(target.build()?).send().await?;
        Ok(url)
    })
}

/// The next event that the bus delivered.
fn delivered(stack: &Stack, url: &str) -> anyhow::Result<Value> {
    let queue = stack.aws().queue(url);
    let received = stack.run(async {
        let received = queue.receive(1, Duration::from_secs(30)).await?;
        let message = received.into_iter().next();
        if let Some(message) = &message {
            queue.delete(std::slice::from_ref(&message.receipt)).await?;
        }
        anyhow::Ok(message)
    });
    let message = received?.context("receive an event from the bus")?;
    let event: Value = serde_json::from_str(&message.body)?;
    Ok(event["detail"].clone())
}

fn without_cursor(listed: &Value) -> Value {
    let mut event = listed.clone();
    event.as_object_mut().map(|event| event.remove("cursor"));
    event
}

fn validates(event: &Value) -> anyhow::Result<()> {
    let schema =
        std::fs::read_to_string(root().join("docs/schemas/candles-loaded-v1.json")).context("read the schema")?;
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema)?)?;
    validator.validate(event).map_err(|error| anyhow::anyhow!("{error}: {event}"))?;
    let mut broken = event.clone();
    broken["data"]["rows"]["added"] = json!(-1);
    ensure!(!validator.is_valid(&broken), "the schema accepts everything");
    Ok(())
}

fn a_load_is_told_to_a_webhook_and_a_bus_and_to_those_who_follow() -> anyhow::Result<()> {
    let stack = consumers::stack();
    let sink = Sink::get();
    let url = subscribe(stack)?;
    let follower = Follower::start(stack)?;
    let mut ids = Vec::new();
    for (days, rows) in [
        (
            &["2024-12-23", "2024-12-24"][..],
            json!({"total": 2, "added": 2, "changed": 0, "unchanged": 0, "removed": 0}),
        ),
        (
            &["2024-12-23", "2024-12-24", "2024-12-26"],
            json!({"total": 3, "added": 1, "changed": 0, "unchanged": 2, "removed": 0}),
        ),
    ] {
        stack.put(KEY, daily(days))?;
        let listed = follower.next()?;
        let event = without_cursor(&listed);
        validates(&event)?;
        ensure!(event["data"]["rows"] == rows && event["data"]["to"] == days[days.len() - 1], "{event}");
        ensure!(delivered(stack, &url)? == event, "the bus has another event than {event}");
        stack.eventually("the webhook has it", || Ok(sink.has(&event)))?;
        ids.push((listed["cursor"].to_string(), event));
    }
    let listed = |arguments: &[&str]| -> anyhow::Result<Vec<Value>> {
        let said = succeed(candlewick(stack.state()).args(["events", "--symbol", SYMBOL]).args(arguments))?;
        said.lines().map(|line| serde_json::from_str(line).with_context(|| format!("read {line}"))).collect()
    };
    let all: Vec<_> = listed(&["--json"])?.iter().map(without_cursor).collect();
    ensure!(all == [ids[0].1.clone(), ids[1].1.clone()], "{all:?}");
    let rest: Vec<_> = listed(&["--json", "--after", &ids[0].0])?.iter().map(without_cursor).collect();
    ensure!(rest == [ids[1].1.clone()], "{rest:?}");
    let text = succeed(candlewick(stack.state()).args(["events", "--symbol", SYMBOL]))?;
    ensure!(
        text.contains("EVENTED 1day  1 added, 0 changed, 0 removed, 2 unchanged, 2024-12-26 to 2024-12-26"),
        "{text}"
    );
    Ok(())
}

fn a_wrong_cursor_is_refused_in_words() -> anyhow::Result<()> {
    let stack = consumers::stack();
    for (cursor, words) in [("x", "it looks like 4711"), ("99999999999", "begin with 0")] {
        let output =
            candlewick(stack.state()).args(["events", "--after", cursor]).output().context("list the events")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success() && said.contains(words), "{cursor}: {said}");
    }
    Ok(())
}
