//! A bot of Telegram that writes to one chat.

use anyhow::bail;
use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::text::cut;
use super::{Channel, http};
use crate::message::Message;

/// Telegram refuses a text of more than 4096 characters.
const MOST: usize = 4_096;

/// Where bots are, unless the settings name a server of the owner's.
pub const API: &str = "https://api.telegram.org";

/// A bot of Telegram that writes to one chat.
pub struct Telegram {
    http: Client,
    /// The method's address. The bot's token is part of it.
    url: SecretString,
    chat: String,
}

/// What the API says about a request that it refuses.
#[derive(Deserialize)]
struct Refusal {
    description: String,
}

impl Telegram {
    /// The bot with this token, which writes to a chat: its number, or `@name` of a public one.
    pub fn new(http: Client, api: &str, token: &SecretString, chat: String) -> Self {
        let url = format!("{}/bot{}/sendMessage", api.trim_end_matches('/'), token.expose_secret()).into();
        Self { http, url, chat }
    }

    /// Plain text: without `parse_mode` nothing in it is markup.
    fn body(&self, message: &Message) -> Value {
        let text = cut(&format!("{}\n\n{}", message.subject, message.body.trim_end()), MOST);
        json!({"chat_id": self.chat, "text": text, "link_preview_options": {"is_disabled": true}})
    }
}

#[async_trait]
impl Channel for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    /// The API's own words say what is wrong with the chat or the bot, and hold no secret.
    async fn send(&self, message: &Message) -> anyhow::Result<()> {
        let answer = http::answer(&self.http, &self.url, &message.name, &self.body(message)).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        match serde_json::from_str::<Refusal>(&http::beginning(answer).await) {
            Ok(refusal) => bail!("Telegram answered {status}: {}", refusal.description),
            Err(_) => bail!("Telegram answered {status}"),
        }
    }
}
