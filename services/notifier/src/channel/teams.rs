//! Microsoft Teams workflows that post the messages sent to their webhook.

use anyhow::ensure;
use async_trait::async_trait;
use reqwest::Client;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::text::cut;
use super::{Channel, http};
use crate::message::Notice;

/// Teams rejects more than 28 KB, and each line takes about a hundred bytes of JSON.
const MAX_TEXT: usize = 6_000;
const MAX_LINES: usize = 80;

/// The webhook of a workflow that posts adaptive cards.
pub struct Teams {
    pub http: Client,
    pub url: SecretString,
}

#[async_trait]
impl Channel for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    /// Legacy connectors answer 200 even if Teams did not accept the message, and report it in the text.
    async fn send(&self, message: &Notice) -> anyhow::Result<()> {
        let response = http::request(&self.http, &self.url, &message.name, &body(message)).await?;
        let status = response.status();
        ensure!(status.is_success(), "Teams answered {status}");
        let text = http::read_start(response).await;
        ensure!(!text.contains("message delivery failed"), "Teams answered {status} but did not deliver the message");
        Ok(())
    }
}

/// An adaptive card. Text runs have no markup and cannot contain line breaks, so each line is a block of its own.
fn body(message: &Notice) -> Value {
    let text = cut(message.body.trim_end(), MAX_TEXT);
    let run = |text: &str| json!({"type": "TextRun", "text": text});
    let line = |inline: Value| json!({"type": "RichTextBlock", "spacing": "None", "inlines": [inline]});
    let mut subject = run(&cut(&message.subject, MAX_SUBJECT));
    subject["weight"] = json!("Bolder");
    // Teams rejects empty runs.
    let lines = text.lines().take(MAX_LINES).map(|text| line(run(if text.is_empty() { " " } else { text })));
    let blocks: Vec<_> = std::iter::once(line(subject)).chain(lines).collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard", "version": "1.4", "msteams": {"width": "Full"}, "body": blocks,
    });
    let attachment =
        json!({"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card});
    json!({"type": "message", "attachments": [attachment]})
}

const MAX_SUBJECT: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_never_larger_than_teams_takes() {
        let name = "n".to_owned();
        let payload = Value::Null;
        for long in ["\"\\ ".repeat(9_000), "\n".repeat(9_000), "ä\n".repeat(9_000), "\u{65E5}".repeat(9_000)] {
            let message = Notice { name: name.clone(), subject: long.clone(), body: long, payload: payload.clone() };
            let size = body(&message).to_string().len();
            assert!(size < 28_000, "{size}");
        }
    }
}
