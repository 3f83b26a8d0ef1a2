//! An incoming webhook of Slack, or of what takes the same shape (Mattermost, Rocket.Chat).

use async_trait::async_trait;
use reqwest::Client;
use secrecy::SecretString;
use serde_json::json;

use super::text::{cut, in_code};
use super::{Channel, http};
use crate::message::Message;

/// How much text Slack shows of one message.
const MOST: usize = 3_500;

/// An incoming webhook that takes `{"text"}`.
pub struct Slack {
    /// The HTTP client.
    pub http: Client,
    /// The address.
    pub url: SecretString,
}

#[async_trait]
impl Channel for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    async fn send(&self, message: &Message) -> anyhow::Result<()> {
        let text = text(&message.subject, &message.body);
        http::post(&self.http, &self.url, &message.name, &json!({"text": text})).await
    }
}

/// The message in Slack's markup: `&`, `<` and `>` are its control characters, and a mention must not come of a file's name.
fn text(subject: &str, body: &str) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("*{}*\n```{}```", escaped(subject), in_code(&escaped(&cut(body, MOST))))
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
