//! Posting JSON to an address that is a secret.

use std::time::Duration;

use anyhow::{anyhow, ensure};
use candlewick_shared::runtime::outgoing;
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How much of an answer is read, in bytes.
const MOST_OF_AN_ANSWER: usize = 2_000;

/// An HTTP client for addresses that are secrets.
pub fn client() -> anyhow::Result<Client> {
    outgoing::client(TIMEOUT)
}

/// Makes sure that a setting is an address that may be sent to, without showing it.
pub fn require_url(setting: &str, url: &SecretString) -> anyhow::Result<()> {
    outgoing::address(setting, url.expose_secret()).map(drop)
}

/// Posts JSON under a message's name.
pub async fn post(http: &Client, url: &SecretString, name: &str, body: &Value) -> anyhow::Result<()> {
    let answer = answer(http, url, name, body).await?;
    ensure!(answer.status().is_success(), "the other side answered {}", answer.status());
    Ok(())
}

/// Posts JSON under a message's name, and returns the answer whatever its status is.
pub async fn answer(http: &Client, url: &SecretString, name: &str, body: &Value) -> anyhow::Result<Response> {
    let sent = http.post(url.expose_secret()).header("Idempotency-Key", name).json(body).send().await;
    // The address is part of the error otherwise.
    sent.map_err(|error| anyhow!(error.without_url()))
}

/// The beginning of an answer's text; a longer one is not read to its end.
pub async fn beginning(mut answer: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= MOST_OF_AN_ANSWER {
            break;
        }
    }
    bytes.truncate(MOST_OF_AN_ANSWER);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Asks an address for nothing, to show that this is alive.
pub async fn ping(http: &Client, url: &SecretString) -> anyhow::Result<()> {
    let answer = http.get(url.expose_secret()).send().await.map_err(|error| anyhow!(error.without_url()))?;
    ensure!(answer.status().is_success(), "the other side answered {}", answer.status());
    Ok(())
}
