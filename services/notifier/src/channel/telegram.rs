//! Telegram bots.

use anyhow::bail;
use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::text::cut;
use super::{Channel, http};
use crate::message::Notice;

/// Telegram rejects longer texts.
const MAX_TEXT: usize = 4_096;

/// The default address. Owners may run their own Bot API server.
pub const API: &str = "https://api.telegram.org";

/// A bot of Telegram that writes to one chat.
pub struct Telegram {
    http: Client,
    /// The address of `sendMessage`, which contains the bot's token.
    url: SecretString,
    chat: String,
}

/// The response to a rejected request.
#[derive(Deserialize)]
struct Refusal {
    description: String,
}

impl Telegram {
    /// `chat` is the number of a chat, or the `@name` of a public one.
    pub fn new(http: Client, api: &str, token: &SecretString, chat: String) -> Self {
        let url = format!("{}/bot{}/sendMessage", api.trim_end_matches('/'), token.expose_secret()).into();
        Self { http, url, chat }
    }

    /// Without `parse_mode` the text is plain and has no markup.
    fn body(&self, message: &Notice) -> Value {
        let text = cut(&format!("{}\n\n{}", message.subject, message.body.trim_end()), MAX_TEXT);
        json!({"chat_id": self.chat, "text": text, "link_preview_options": {"is_disabled": true}})
    }
}

#[async_trait]
impl Channel for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    /// The API's description says what is wrong with the chat or bot, and contains no secret.
    async fn send(&self, message: &Notice) -> anyhow::Result<()> {
        let response = http::request(&self.http, &self.url, &message.name, &self.body(message)).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        match serde_json::from_str::<Refusal>(&http::read_start(response).await) {
            Ok(refusal) => bail!("Telegram answered {status}: {}", refusal.description),
            Err(_) => bail!("Telegram answered {status}"),
        }
    }
}
