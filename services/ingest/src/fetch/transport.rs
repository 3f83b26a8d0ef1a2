//! How requests reach the API: over HTTP, or in a simulation through memory.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use candlewick_shared::adapters::sentence::chain;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};

use crate::credits::budget::MinuteUsage;
use crate::fetch::answer::ApiError;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long an answer may be: the largest of candles has about one megabyte.
const MAX_BYTES: usize = 32 << 20;

/// Carries one request to the API and its response back.
#[async_trait]
pub trait Transport: Debug + Send + Sync {
    /// Asks for a path of the API, such as `time_series`.
    async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Response, Lost>;
}

/// A response, whatever it says.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// This minute's credits, by the headers.
    pub usage: Option<MinuteUsage>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no complete response.
#[derive(Clone, Debug)]
pub struct Lost {
    /// How far the request got.
    pub at: LostAt,
    /// What went wrong.
    pub reason: String,
}

/// How far a request got whose response is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostAt {
    /// There was no connection: the API never saw it.
    Connecting,
    /// Nothing came back.
    Waiting,
    /// The response broke off.
    Reading,
}

/// An API that says nothing is not there; an answer that breaks off may be about one symbol only.
impl From<Lost> for ApiError {
    fn from(lost: Lost) -> Self {
        match lost.at {
            LostAt::Reading => Self::Transient(lost.reason),
            LostAt::Connecting | LostAt::Waiting => Self::Unreachable(lost.reason),
        }
    }
}

/// The API over HTTP. The key goes in a header and never in a URL, so that no log or error can show it.
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
    url: Arc<str>,
    authorization: HeaderValue,
}

impl Http {
    /// The API at `url`, with the owner's key.
    pub fn new(url: &str, key: &SecretString) -> anyhow::Result<Self> {
        // Installing it a second time fails, and means that it is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The API never redirects, and the key must not go elsewhere.
        let builder = reqwest::Client::builder().timeout(TIMEOUT).redirect(Policy::none());
        let client = builder.build().context("build the HTTP client")?;
        let header = format!("apikey {}", key.expose_secret());
        let mut authorization = HeaderValue::from_str(&header).map_err(|_| {
            anyhow::anyhow!("TWELVEDATA_API_KEY contains a character that cannot be sent in an HTTP header")
        })?;
        authorization.set_sensitive(true);
        Ok(Self { client, url: url.trim_end_matches('/').into(), authorization })
    }
}

#[async_trait]
impl Transport for Http {
    async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Response, Lost> {
        let request = self.client.get(format!("{}/{path}", self.url)).query(query);
        let request = request.header(AUTHORIZATION, self.authorization.clone());
        let mut response = request.send().await.map_err(|error| {
            let at = if error.is_connect() { LostAt::Connecting } else { LostAt::Waiting };
            Lost { at, reason: words(error) }
        })?;
        let status = response.status().as_u16();
        let usage = minute_usage(response.headers());
        let mut body = Vec::new();
        while body.len() < MAX_BYTES
            && let Some(bytes) =
                response.chunk().await.map_err(|error| Lost { at: LostAt::Reading, reason: words(error) })?
        {
            body.extend_from_slice(&bytes);
        }
        Ok(Response { status, usage, body })
    }
}

fn minute_usage(headers: &HeaderMap) -> Option<MinuteUsage> {
    let number = |name| headers.get(name)?.to_str().ok()?.parse().ok();
    Some(MinuteUsage { used: number("api-credits-used")?, left: number("api-credits-left")? })
}

/// The error and its causes, without the URL. URLs have no secret in them either: that makes two safeguards.
fn words(error: reqwest::Error) -> String {
    chain(&error.without_url())
}
