//! Incoming webhooks of Slack and of chats that accept the same format (Mattermost, Rocket.Chat).

use async_trait::async_trait;
use reqwest::Client;
use secrecy::SecretString;
use serde_json::json;

use super::text::{cut, in_code};
use super::{Channel, http};
use crate::message::Notice;

/// Slack shows no more text of one message.
const MAX_TEXT: usize = 3_500;

pub struct Slack {
    pub http: Client,
    pub url: SecretString,
}

#[async_trait]
impl Channel for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    async fn send(&self, message: &Notice) -> anyhow::Result<()> {
        let text = text(&message.subject, &message.body);
        http::post(&self.http, &self.url, &message.name, &json!({"text": text})).await
    }
}

/// The message in Slack's markup. The control characters `&`, `<` and `>` are escaped, so that the name of a file cannot
/// mention people.
fn text(subject: &str, body: &str) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("*{}*\n```{}```", escaped(subject), in_code(&escaped(&cut(body, MAX_TEXT))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_is_markup() {
        let text = text("A <!channel>", "1 < 2 & 3 ``` done");
        assert_eq!(text, "*A &lt;!channel&gt;*\n```1 &lt; 2 &amp; 3 ''' done```");
    }

    #[test]
    fn what_is_too_long_says_so() {
        assert!(text("A", &"x".repeat(9_000)).ends_with("… the rest: candlewick alerts```"));
    }
}
