//! PagerDuty, by version 2 of its Events API: an incident for each kind of trouble of a stage.

use anyhow::bail;
use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::text::cut;
use super::{Channel, http};
use crate::message::Message;

/// Where events are sent, unless the settings say otherwise (accounts in the EU have another address).
pub const EVENTS: &str = "https://events.pagerduty.com";

/// PagerDuty refuses a longer summary.
const MOST_OF_A_SUMMARY: usize = 1_024;

/// How much text goes with an event; PagerDuty refuses events above 512 KB.
const MOST: usize = 20_000;

/// A service of PagerDuty.
pub struct PagerDuty {
    http: Client,
    url: SecretString,
    routing_key: SecretString,
}

/// What the API says about an event that it refuses.
#[derive(Deserialize)]
struct Refusal {
    message: String,
    #[serde(default)]
    errors: Vec<String>,
}

impl PagerDuty {
    /// The service with this routing (integration) key.
    pub fn new(http: Client, events: &str, routing_key: SecretString) -> Self {
        Self { http, url: format!("{}/v2/enqueue", events.trim_end_matches('/')).into(), routing_key }
    }

    /// The event of a message; `None` for what needs nobody woken: digests, notices, and news that nothing resolves.
    fn event(&self, message: &Message) -> Option<Value> {
        let payload = &message.payload;
        if payload["severity"] != "error" {
            return None;
        }
        let kind = payload["kind"].as_str()?;
        let stage = payload["stage"].as_str()?;
        // What is over of a group resolves the incident only when nothing of the group is left.
        let action = if payload["still_firing"] == 0 { "resolve" } else { "trigger" };
        Some(json!({
            "routing_key": self.routing_key.expose_secret(),
            "event_action": action,
            "dedup_key": format!("candlewick/{stage}/{kind}"),
            "client": "Candlewick",
            "payload": {
                "summary": cut(&message.subject, MOST_OF_A_SUMMARY),
                "source": format!("candlewick-{stage}"),
                "severity": "error",
                "component": stage,
                "class": kind,
                "custom_details": {"id": message.name, "text": cut(&message.body, MOST)},
            },
        }))
    }
}

#[async_trait]
impl Channel for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    /// A second copy of an event changes nothing: its `dedup_key` is that of the incident.
    async fn send(&self, message: &Message) -> anyhow::Result<()> {
        let Some(event) = self.event(message) else { return Ok(()) };
        let answer = http::answer(&self.http, &self.url, &message.name, &event).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        match serde_json::from_str::<Refusal>(&http::beginning(answer).await) {
            Ok(refusal) => bail!("PagerDuty answered {status}: {} {}", refusal.message, refusal.errors.join(", ")),
            Err(_) => bail!("PagerDuty answered {status}"),
        }
    }
}
