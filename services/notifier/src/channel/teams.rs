//! A workflow of Microsoft Teams that posts what its webhook is sent.

use anyhow::ensure;
use async_trait::async_trait;
use reqwest::Client;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::text::cut;
use super::{Channel, http};
use crate::message::Message;

/// Teams refuses more than 28 KB; each line costs some hundred bytes of JSON.
const MOST: usize = 6_000;
const MOST_LINES: usize = 80;

/// A webhook of a workflow that posts adaptive cards.
pub struct Teams {
    /// The HTTP client.
    pub http: Client,
    /// The address.
    pub url: SecretString,
}

#[async_trait]
impl Channel for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    /// Connectors of the older kind answer 200 also when Teams did not take the message, and say so in the text.
    async fn send(&self, message: &Message) -> anyhow::Result<()> {
        let answer = http::answer(&self.http, &self.url, &message.name, &body(message)).await?;
        let status = answer.status();
        ensure!(status.is_success(), "Teams answered {status}");
        let said = http::beginning(answer).await;
        ensure!(!said.contains("message delivery failed"), "Teams answered {status}, and did not deliver the message");
        Ok(())
    }
}

/// An adaptive card. A text run has no markup, and a run cannot hold a line break.
fn body(message: &Message) -> Value {
    let text = cut(message.body.trim_end(), MOST);
    let run = |text: &str| json!({"type": "TextRun", "text": text});
    let line = |inline: Value| json!({"type": "RichTextBlock", "spacing": "None", "inlines": [inline]});
    let mut subject = run(&cut(&message.subject, MOST_OF_A_SUBJECT));
    subject["weight"] = json!("Bolder");
    // An empty run is refused.
    let lines = text.lines().take(MOST_LINES).map(|text| line(run(if text.is_empty() { " " } else { text })));
    let blocks: Vec<_> = std::iter::once(line(subject)).chain(lines).collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard", "version": "1.4", "msteams": {"width": "Full"}, "body": blocks,
    });
    let attachment =
        json!({"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card});
    json!({"type": "message", "attachments": [attachment]})
}

const MOST_OF_A_SUBJECT: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_never_larger_than_teams_takes() {
        let name = "n".to_owned();
        let payload = Value::Null;
        for long in ["\"\\ ".repeat(9_000), "\n".repeat(9_000), "ä\n".repeat(9_000), "\u{65E5}".repeat(9_000)] {
            let message = Message { name: name.clone(), subject: long.clone(), body: long, payload: payload.clone() };
            let size = body(&message).to_string().len();
            assert!(size < 28_000, "{size}");
        }
    }
}
