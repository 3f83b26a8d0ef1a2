//! Webhooks that receive the message as JSON, for programs.

use async_trait::async_trait;
use reqwest::Client;
use secrecy::SecretString;
use serde_json::json;

use super::{Channel, http};
use crate::message::Notice;

/// Posts `{"id", "subject", "text", …}`. The header `Idempotency-Key` has the id too.
pub struct Webhook {
    pub http: Client,
    pub url: SecretString,
}

#[async_trait]
impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, message: &Notice) -> anyhow::Result<()> {
        let mut body = json!({"id": message.name, "subject": message.subject, "text": message.body});
        if let (Some(body), Some(payload)) = (body.as_object_mut(), message.payload.as_object()) {
            body.extend(payload.clone());
        }
        http::post(&self.http, &self.url, &message.name, &body).await
    }
}
