//! Posts JSON to addresses that are secrets.

use std::time::Duration;

use anyhow::{anyhow, ensure};
use candlewick_shared::runtime::outgoing;
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(15);

/// How much of a response is read.
const MAX_RESPONSE_BYTES: usize = 2_000;

pub fn client() -> anyhow::Result<Client> {
    outgoing::client(TIMEOUT)
}

/// Checks that a setting is an allowed address, without showing it in the error.
pub fn require_url(setting: &str, url: &SecretString) -> anyhow::Result<()> {
    outgoing::address(setting, url.expose_secret()).map(drop)
}

/// Posts JSON with the name of a message as the idempotency key. A status other than success is an error.
pub async fn post(http: &Client, url: &SecretString, name: &str, body: &Value) -> anyhow::Result<()> {
    let response = request(http, url, name, body).await?;
    ensure!(response.status().is_success(), "the server answered {}", response.status());
    Ok(())
}

/// Posts JSON like [`post`], and returns the response whatever its status is.
pub async fn request(http: &Client, url: &SecretString, name: &str, body: &Value) -> anyhow::Result<Response> {
    let sent = http.post(url.expose_secret()).header("Idempotency-Key", name).json(body).send().await;
    // The error would otherwise show the address.
    sent.map_err(|error| anyhow!(error.without_url()))
}

/// Reads the start of a response's text.
pub async fn read_start(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= MAX_RESPONSE_BYTES {
            break;
        }
    }
    bytes.truncate(MAX_RESPONSE_BYTES);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends a GET request, as heartbeat services expect it.
pub async fn ping(http: &Client, url: &SecretString) -> anyhow::Result<()> {
    let response = http.get(url.expose_secret()).send().await.map_err(|error| anyhow!(error.without_url()))?;
    ensure!(response.status().is_success(), "the server answered {}", response.status());
    Ok(())
}
