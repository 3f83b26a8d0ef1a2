//! Task scale-in protection by the agent of Amazon ECS.

use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::ports::protection::{Protection, ProtectionError};

/// How long the agent may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Protects the task from scale-in and deployments through the endpoint that ECS gives every container.
///
/// Source: the Amazon ECS Developer Guide, "Amazon ECS task scale-in protection endpoint".
#[derive(Clone, Debug)]
pub struct EcsProtection {
    http: reqwest::Client,
    url: String,
}

impl EcsProtection {
    /// The agent at the address that `ECS_AGENT_URI` names.
    ///
    /// # Errors
    ///
    /// Returns an error if the HTTP client cannot be built.
    pub fn new(agent: &str) -> anyhow::Result<Self> {
        // The agent speaks plain HTTP, but the client requires a TLS provider. Installing it fails only if it is
        // already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build().context("build the HTTP client")?;
        Ok(Self { http, url: format!("{}/task-protection/v1/state", agent.trim_end_matches('/')) })
    }

    async fn put(&self, state: &Value) -> Result<String, reqwest::Error> {
        self.http.put(&self.url).json(state).send().await?.text().await
    }
}

#[async_trait]
impl Protection for EcsProtection {
    async fn protect(&self, length: Option<Duration>) -> Result<(), ProtectionError> {
        let answer =
            self.put(&state(length)).await.map_err(|error| ProtectionError(error.without_url().to_string()))?;
        if is_granted(&answer) { Ok(()) } else { Err(ProtectionError(answer)) }
    }
}

/// ECS takes whole minutes, from one minute to two days.
fn state(length: Option<Duration>) -> Value {
    match length {
        Some(length) => {
            let minutes = length.as_secs().div_ceil(60).clamp(1, 2880);
            json!({"ProtectionEnabled": true, "ExpiresInMinutes": minutes})
        }
        None => json!({"ProtectionEnabled": false}),
    }
}

/// A refusal has `failure` or `error` in its body, but not always an error status.
fn is_granted(answer: &str) -> bool {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    answer["protection"].is_object()
}
