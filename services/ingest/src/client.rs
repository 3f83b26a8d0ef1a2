//! The way to the API.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::answer::{self, Answer, ApiError};
use crate::plan::Window;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client of the API. The key goes in a header and never in a URL, so that no log or error can show it.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: Arc<str>,
    authorization: HeaderValue,
}

impl Client {
    /// A client of the API at `url`, with the owner's key.
    ///
    /// # Errors
    /// A key that cannot stand in a header.
    pub fn new(url: &str, key: SecretString) -> anyhow::Result<Self> {
        // Installing it a second time fails, and means that it is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(TIMEOUT).build().context("build the HTTP client")?;
        let header = format!("apikey {}", key.expose_secret());
        let mut authorization = HeaderValue::from_str(&header)
            .map_err(|_| anyhow::anyhow!("TWELVEDATA_API_KEY has a character that no key has"))?;
        authorization.set_sensitive(true);
        Ok(Self { http, url: url.trim_end_matches('/').into(), authorization })
    }

    /// Asks for the candles of a window.
    ///
    /// # Errors
    /// [`ApiError`], whether the API or the way to it is at fault.
    pub async fn time_series(&self, series: &Series, window: Window) -> Result<Answer, ApiError> {
        let request = self.http.get(format!("{}/time_series", self.url)).query(&query(series, window));
        let unreachable = |error: reqwest::Error| ApiError::Unreachable(causes(&error.without_url()));
        let response = request.header(AUTHORIZATION, self.authorization.clone()).send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(unreachable)?;
        answer::read(status, &body)
    }
}

/// Intraday times are asked for in UTC, so that none is ambiguous; the API dates longer candles by the exchange's calendar.
fn query(series: &Series, window: Window) -> Vec<(&'static str, String)> {
    let Series { symbol, interval } = series;
    let mut query = vec![
        ("symbol", symbol.to_string()),
        ("interval", interval.to_string()),
        ("start_date", date(window.from, *interval)),
        ("end_date", date(window.until, *interval)),
        ("outputsize", crate::plan::MOST_CANDLES.to_string()),
        ("order", "desc".to_owned()),
    ];
    if interval.is_intraday() {
        query.push(("timezone", "UTC".to_owned()));
    }
    query
}

fn date(date: jiff::civil::Date, interval: Interval) -> String {
    if interval.is_intraday() { format!("{date}T00:00:00") } else { date.to_string() }
}

/// An error and what caused it, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
