//! The owner is notified of problems, and when they are resolved.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, ensure};
use axum::Router;
use axum::extract::State;
use candlewick_notifier::channel::Channel;
use candlewick_notifier::channel::sns::Sns;
use candlewick_notifier::message::Notice;
use candlewick_shared::ports::queue::Queue;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::candles::daily;
use crate::candlewick::{candlewick, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        a_broken_file_is_told_of_and_its_repair_too,
        a_series_that_is_not_fetched_is_told_of,
        the_first_start_sends_a_digest_and_each_sweep_a_heartbeat,
        a_topic_carries_a_message_to_its_subscribers
    ]
}

/// The receiver of the owner's webhook and heartbeat: a server that outlives every start of the stack.
pub struct Sink {
    address: String,
    bodies: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

impl Sink {
    pub fn get() -> &'static Self {
        static SINK: OnceLock<Sink> = OnceLock::new();
        SINK.get_or_init(|| Self::start().expect("the sink starts"))
    }

    fn start() -> anyhow::Result<Self> {
        let runtime = Runtime::new().context("start a runtime")?;
        let bodies = Arc::<Mutex<Vec<String>>>::default();
        let take = |State(bodies): State<Arc<Mutex<Vec<String>>>>, body: String| async move {
            bodies.lock().unwrap_or_else(PoisonError::into_inner).push(body);
        };
        let router = Router::new().fallback(take).with_state(Arc::clone(&bodies));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("listen")?;
        let address = format!("http://{}", listener.local_addr()?);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, bodies, _runtime: runtime })
    }

    /// Settings that make the notifier of a stack report to this sink, and quickly.
    pub fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("ALERT_WEBHOOK_URL", format!("{}/hook", self.address)),
            ("HEARTBEAT_URL", format!("{}/heartbeat", self.address)),
            ("ALERT_GROUP_WAIT", "500ms".to_owned()),
            ("ALERT_GROUP_INTERVAL", "1s".to_owned()),
            ("SWEEP_EVERY", "1s".to_owned()),
        ]
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn messages(&self) -> Vec<Value> {
        self.bodies().iter().filter_map(|body| serde_json::from_str(body).ok()).collect()
    }

    /// Settings that make the notifier send the events of loads to this sink and to the default bus.
    pub fn settings_for_events(&self) -> [(&'static str, OsString); 3] {
        [
            ("LOADED_WEBHOOK_URL", format!("{}/loaded", self.address).into()),
            ("LOADED_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()),
            ("LOADED_EVENT_BUS", "default".into()),
        ]
    }

    /// Whether exactly this was received.
    pub fn has(&self, message: &Value) -> bool {
        self.messages().contains(message)
    }

    /// The entry about a subject in any message that reports this state.
    pub fn told(&self, kind: &str, state: &str, subject: &str) -> Option<Value> {
        let of_kind = self.messages().into_iter().filter(|message| message["kind"] == kind);
        let entries = of_kind.filter_map(|message| message[state].as_array().cloned()).flatten();
        entries.into_iter().find(|entry| entry["subject"] == subject)
    }
}

/// The entry of `candlewick alerts` about a subject.
fn shown(stack: &Stack, subject: &str) -> anyhow::Result<Option<Value>> {
    let said = succeed(candlewick(stack.state()).args(["alerts", "--json"]))?;
    let said: Value = serde_json::from_str(&said).with_context(|| format!("read {said}"))?;
    let alerts = said["alerts"].as_array().context("find the alerts")?;
    Ok(alerts.iter().find(|alert| alert["subject"] == subject).cloned())
}

fn a_broken_file_is_told_of_and_its_repair_too() -> anyhow::Result<()> {
    let stack = Stack::get();
    let sink = Sink::get();
    let key = "raw/interval=1day/symbol=TOLD/candles.csv";
    stack.put(key, "date,open,high,low\n2024-12-27,1,2,1\n")?;
    stack.eventually("a message about it", || Ok(sink.told("dead_letter", "firing", "TOLD 1day").is_some()))?;
    let told = sink.told("dead_letter", "firing", "TOLD 1day").context("find the message")?;
    ensure!(told["key"] == key && told["class"] == "unreadable_object", "{told}");
    ensure!(told["text"].as_str().is_some_and(|text| text.contains("column \"close\" is missing")), "{told}");
    let shown_now = shown(stack, "TOLD 1day")?.context("find it in `candlewick alerts`")?;
    ensure!(shown_now["severity"] == "error" && shown_now["stage"] == "transform", "{shown_now}");

    stack.put(key, daily(&["2024-12-27"]))?;
    stack.eventually("word of the repair", || Ok(sink.told("dead_letter", "resolved", "TOLD 1day").is_some()))?;
    ensure!(shown(stack, "TOLD 1day")?.is_none(), "it is well again, and still shown");
    let all = succeed(candlewick(stack.state()).args(["alerts", "--all"]))?;
    ensure!(all.contains("over    dead_letter  TOLD 1day (unreadable_object)"), "{all}");
    Ok(())
}

fn a_series_that_is_not_fetched_is_told_of() -> anyhow::Result<()> {
    let stack = Stack::get();
    let sink = Sink::get();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let fetch = json!({"kind": "fetch", "run": "hers", "symbol": "NOTTHERE", "interval": "1day", "traceparent": trace});
    stack.send("INGEST_QUEUE_URL", fetch.to_string())?;
    stack.eventually("a message", || Ok(sink.told("ingest_failed", "firing", "NOTTHERE 1day").is_some()))?;
    let told = sink.told("ingest_failed", "firing", "NOTTHERE 1day").context("find the message")?;
    ensure!(told["trace_id"] == "0af7651916cd43dd8448eb211c80319c" && told["run"] == "hers", "{told}");
    ensure!(told["next"] == "candlewick refresh NOTTHERE", "{told}");
    Ok(())
}

fn the_first_start_sends_a_digest_and_each_sweep_a_heartbeat() -> anyhow::Result<()> {
    let stack = Stack::get();
    let sink = Sink::get();
    let is_digest = |message: &Value| message["type"] == "digest";
    stack.eventually("a digest", || Ok(sink.messages().iter().any(is_digest)))?;
    stack.eventually("a heartbeat", || Ok(sink.bodies().iter().any(String::is_empty)))
}

fn a_topic_carries_a_message_to_its_subscribers() -> anyhow::Result<()> {
    let stack = Stack::get();
    let aws = stack.aws();
    let client = aws_sdk_sns::Client::new(aws.config());
    stack.run(async {
        let topic = client.create_topic().name("told").send().await?.topic_arn.context("read the topic's ARN")?;
        let url =
            aws.sqs().create_queue().queue_name("told").send().await?.queue_url.context("read the queue's URL")?;
        let queue = "arn:aws:sqs:us-east-1:000000000000:told";
        client.subscribe().topic_arn(&topic).protocol("sqs").endpoint(queue).send().await?;
        let payload = json!({"kind": "dead_letter", "severity": "error", "state": "firing"});
        let subject = "Candlewick: given up".to_owned();
        let body = "line 3".to_owned();
        let message = Notice { name: "alert-1".to_owned(), subject, body, payload };
        Sns { client: client.clone(), topic }.send(&message).await?;
        let received = aws.queue(&url).receive(1, std::time::Duration::from_secs(5)).await?;
        let received: Value = serde_json::from_str(&received.first().context("receive the message")?.body)?;
        ensure!(received["Subject"] == "Candlewick: given up" && received["Message"] == "line 3", "{received}");
        let attribute = |name: &str| received["MessageAttributes"][name]["Value"].clone();
        ensure!((attribute("id"), attribute("kind")) == (json!("alert-1"), json!("dead_letter")), "{received}");
        Ok(())
    })
}
