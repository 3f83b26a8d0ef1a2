//! The way to the API.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use jiff::civil::{Date, DateTime};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::credits::budget::{Account, Plan, Told};
use crate::credits::pool::Credit;
use crate::fetch::answer::{self, Answer, ApiError};
use crate::fetch::plan::Window;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long an answer may be: the largest of candles has about one megabyte.
const MOST_BYTES: usize = 32 << 20;

/// A client of the API. The key goes in a header and never in a URL, so that no log or error can show it.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: Arc<str>,
    authorization: HeaderValue,
}

/// What came back, whatever it says.
struct Response {
    status: u16,
    told: Option<Told>,
    body: Vec<u8>,
}

/// Why nothing whole came back.
struct Lost {
    error: reqwest::Error,
    /// Whether an answer had begun.
    has_begun: bool,
}

#[derive(Deserialize)]
struct Usage {
    current_usage: u32,
    plan_limit: Option<u32>,
    daily_usage: Option<u32>,
    plan_daily_limit: Option<u32>,
}

#[derive(Deserialize)]
struct Earliest {
    datetime: String,
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    symbol: String,
}

impl Client {
    /// A client of the API at `url`, with the owner's key.
    pub fn new(url: &str, key: &SecretString) -> anyhow::Result<Self> {
        // Installing it a second time fails, and means that it is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The API sends nobody elsewhere, and the key is not for elsewhere.
        let builder = reqwest::Client::builder().timeout(TIMEOUT).redirect(Policy::none());
        let http = builder.build().context("build the HTTP client")?;
        let header = format!("apikey {}", key.expose_secret());
        let mut authorization = HeaderValue::from_str(&header)
            .map_err(|_| anyhow::anyhow!("TWELVEDATA_API_KEY has a character that no key has"))?;
        authorization.set_sensitive(true);
        Ok(Self { http, url: url.trim_end_matches('/').into(), authorization })
    }

    /// Asks for the candles of a window, for a credit.
    pub async fn time_series(&self, series: &Series, window: Window, credit: Credit) -> Result<Answer, ApiError> {
        self.spend("time_series", &query(series, window), credit, answer::read).await
    }

    /// Asks for the date of a series' oldest candle, in UTC for intraday ones, for a credit; none where it has no candle.
    pub async fn earliest(&self, series: &Series, credit: Credit) -> Result<Option<Date>, ApiError> {
        let mut query = names(series);
        query.push(("timezone", "UTC".to_owned()));
        let earliest = self.spend("earliest_timestamp", &query, credit, answer::read_object::<Earliest>).await?;
        let Some(Earliest { datetime }) = earliest else { return Ok(None) };
        let date = datetime.parse::<DateTime>().map(DateTime::date);
        date.map(Some).map_err(|_| ApiError::Passing(format!("a series that begins at {datetime:?}")))
    }

    /// Asks whether the API lists a symbol, for a credit. It lists shares there; of pairs it says nothing.
    pub async fn is_listed(&self, symbol: &Symbol, credit: Credit) -> Result<bool, ApiError> {
        let (name, exchange) = symbol.as_str().split_once(':').unwrap_or((symbol.as_str(), ""));
        let mut query = vec![("symbol", name.to_owned())];
        query.extend(Some(("exchange", exchange.to_owned())).filter(|_| !exchange.is_empty()));
        let listed = self.spend("stocks", &query, credit, answer::read_object::<Listed>).await?;
        let is_it = |entry: &Entry| entry.symbol.eq_ignore_ascii_case(name);
        Ok(listed.is_some_and(|listed| listed.data.iter().any(is_it)))
    }

    /// Asks for the plan's limits and what was used of them. It costs a credit too, which the answer counts.
    pub async fn usage(&self) -> Result<Account, ApiError> {
        let response = self.get("api_usage", &[]).await.map_err(ApiError::from)?;
        let usage = answer::read_object::<Usage>(response.status, &response.body)?;
        let usage = usage.ok_or_else(|| ApiError::Passing("an account with no usage".to_owned()))?;
        let plan = Plan { per_minute: usage.plan_limit, per_day: usage.plan_daily_limit };
        Ok(Account { plan, used: usage.current_usage, used_today: usage.daily_usage.unwrap_or_default() })
    }

    /// Sends a request for a credit, and tells the budget what became of it.
    async fn spend<T>(
        &self,
        path: &str,
        query: &[(&str, String)],
        mut credit: Credit,
        read: impl Fn(u16, &[u8]) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        credit.send();
        let response = self.get(path, query).await.map_err(|lost| {
            if lost.error.is_connect() {
                credit.never_arrived();
            }
            ApiError::from(lost)
        })?;
        credit.told(response.told);
        let answer = read(response.status, &response.body);
        credit.ended(answer.as_ref().err());
        answer
    }

    async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Response, Lost> {
        let request = self.http.get(format!("{}/{path}", self.url)).query(query);
        let request = request.header(AUTHORIZATION, self.authorization.clone());
        let mut response = request.send().await.map_err(|error| Lost { error, has_begun: false })?;
        let status = response.status().as_u16();
        let told = told(response.headers());
        let mut body = Vec::new();
        while body.len() < MOST_BYTES
            && let Some(bytes) = response.chunk().await.map_err(|error| Lost { error, has_begun: true })?
        {
            body.extend_from_slice(&bytes);
        }
        Ok(Response { status, told, body })
    }
}

fn told(headers: &HeaderMap) -> Option<Told> {
    let number = |name| headers.get(name)?.to_str().ok()?.parse().ok();
    Some(Told { used: number("api-credits-used")?, left: number("api-credits-left")? })
}

fn names(series: &Series) -> Vec<(&'static str, String)> {
    vec![("symbol", series.symbol.to_string()), ("interval", series.interval.to_string())]
}

/// Intraday times are asked for in UTC, so that none is ambiguous; the API dates longer candles by the exchange's calendar.
fn query(series: &Series, window: Window) -> Vec<(&'static str, String)> {
    let mut query = names(series);
    query.extend([
        ("start_date", time(window.from, series.interval)),
        ("end_date", time(window.until, series.interval)),
        ("outputsize", crate::fetch::plan::MOST_CANDLES.to_string()),
        ("order", "desc".to_owned()),
        ("adjust", "splits".to_owned()),
    ]);
    if series.interval.is_intraday() {
        query.push(("timezone", "UTC".to_owned()));
    }
    query
}

fn time(time: DateTime, interval: Interval) -> String {
    if interval.is_intraday() { time.strftime("%FT%T").to_string() } else { time.date().to_string() }
}

/// An API that says nothing is not there; an answer that is cut short may be one symbol's.
///
/// Nothing that the HTTP client says shows the URL, and nothing in a URL is secret: that makes two reasons.
impl From<Lost> for ApiError {
    fn from(Lost { error, has_begun }: Lost) -> Self {
        let error = error.without_url();
        let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let words = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        if has_begun { Self::Passing(words) } else { Self::Unreachable(words) }
    }
}
