//! PagerDuty, through version 2 of its Events API. Each kind of alert of a stage is one incident.

use anyhow::bail;
use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::text::cut;
use super::{Channel, http};
use crate::message::Notice;

/// The default address. Accounts in the EU use another one.
pub const EVENTS: &str = "https://events.pagerduty.com";

/// PagerDuty rejects longer summaries.
const MAX_SUMMARY: usize = 1_024;

/// PagerDuty rejects events of more than 512 KB.
const MAX_TEXT: usize = 20_000;

pub struct PagerDuty {
    http: Client,
    url: SecretString,
    routing_key: SecretString,
}

/// The response to a rejected event.
#[derive(Deserialize)]
struct Refusal {
    message: String,
    #[serde(default)]
    errors: Vec<String>,
}

impl PagerDuty {
    /// `routing_key` is the integration key of a PagerDuty service.
    pub fn new(http: Client, events: &str, routing_key: SecretString) -> Self {
        Self { http, url: format!("{}/v2/enqueue", events.trim_end_matches('/')).into(), routing_key }
    }

    /// The event of a message; `None` for digests and notices, which should wake nobody.
    fn event(&self, message: &Notice) -> Option<Value> {
        let payload = &message.payload;
        if payload["severity"] != "error" {
            return None;
        }
        let kind = payload["kind"].as_str()?;
        let stage = payload["stage"].as_str()?;
        // The incident is resolved only when no alert of the group is left.
        let action = if payload["still_firing"] == 0 { "resolve" } else { "trigger" };
        Some(json!({
            "routing_key": self.routing_key.expose_secret(),
            "event_action": action,
            "dedup_key": format!("candlewick/{stage}/{kind}"),
            "client": "Candlewick",
            "payload": {
                "summary": cut(&message.subject, MAX_SUMMARY),
                "source": format!("candlewick-{stage}"),
                "severity": "error",
                "component": stage,
                "class": kind,
                "custom_details": {"id": message.name, "text": cut(&message.body, MAX_TEXT)},
            },
        }))
    }
}

#[async_trait]
impl Channel for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    /// A second copy of an event changes nothing, because its `dedup_key` is that of the incident.
    async fn send(&self, message: &Notice) -> anyhow::Result<()> {
        let Some(event) = self.event(message) else { return Ok(()) };
        let response = http::request(&self.http, &self.url, &message.name, &event).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        match serde_json::from_str::<Refusal>(&http::read_start(response).await) {
            Ok(refusal) => bail!("PagerDuty answered {status}: {} {}", refusal.message, refusal.errors.join(", ")),
            Err(_) => bail!("PagerDuty answered {status}"),
        }
    }
}
