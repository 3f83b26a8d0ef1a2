//! Discord webhooks.

use async_trait::async_trait;
use reqwest::Client;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::text::{cut, in_code};
use super::{Channel, http};
use crate::message::Notice;

/// Discord refuses a message of more than 2000 characters. A long subject and the markup take some of them.
const MAX_TEXT: usize = 1_600;
const MAX_SUBJECT: usize = 300;

/// The flag `SUPPRESS_EMBEDS`: Discord does not fetch links for previews.
const NO_PREVIEW: u32 = 4;

pub struct Discord {
    pub http: Client,
    pub url: SecretString,
}

#[async_trait]
impl Channel for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    async fn send(&self, message: &Notice) -> anyhow::Result<()> {
        http::post(&self.http, &self.url, &message.name, &body(message)).await
    }
}

/// `allowed_mentions` keeps text such as `@everyone` from notifying people.
fn body(message: &Notice) -> Value {
    let subject = in_code(&cut(&message.subject, MAX_SUBJECT));
    let text = in_code(&cut(message.body.trim_end(), MAX_TEXT));
    let content = format!("```\n{subject}\n\n{text}\n```");
    json!({"content": content, "allowed_mentions": {"parse": []}, "flags": NO_PREVIEW})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_never_longer_than_discord_takes() {
        let name = "n".to_owned();
        let payload = Value::Null;
        let long = "\u{1F56F}`".repeat(9_000);
        let message = Notice { name, subject: long.clone(), body: long, payload };
        let length = body(&message)["content"].as_str().unwrap().encode_utf16().count();
        assert!(length <= 2_000, "{length}");
    }
}
