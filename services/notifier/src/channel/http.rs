//! Posting JSON to an address that is a secret.

use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// An HTTP client.
///
/// # Errors
/// A system without what TLS needs.
pub fn client() -> anyhow::Result<Client> {
    // Installing it a second time fails, and means that it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(TIMEOUT).build().context("build the HTTP client")
}

/// Makes sure that a setting is an address, without showing it.
///
/// # Errors
/// Where it is none, with the setting's name.
pub fn require_url(setting: &str, url: &SecretString) -> anyhow::Result<()> {
    let parsed = url.expose_secret().parse::<Url>();
    let is_http = parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    ensure!(is_http, "{setting} is no address: write one that begins with https:// (it is a secret, and not shown)");
    Ok(())
}

/// Posts JSON under a message's name.
///
/// # Errors
/// What the other side said, or why it could not be reached.
pub async fn post(http: &Client, url: &SecretString, name: &str, body: &Value) -> anyhow::Result<()> {
    let request = http.post(url.expose_secret()).header("Idempotency-Key", name).json(body);
    taken(request.send().await)
}

/// Asks an address for nothing, to show that this is alive.
///
/// # Errors
/// What the other side said, or why it could not be reached.
pub async fn ping(http: &Client, url: &SecretString) -> anyhow::Result<()> {
    taken(http.get(url.expose_secret()).send().await)
}

fn taken(answer: reqwest::Result<Response>) -> anyhow::Result<()> {
    // The address is part of the error otherwise.
    let answer = answer.map_err(|error| anyhow!(error.without_url()))?;
    let status = answer.status();
    ensure!(status.is_success(), "the other side answered {status}");
    Ok(())
}
