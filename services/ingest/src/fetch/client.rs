//! The HTTP client of the API.

use std::sync::Arc;

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use jiff::civil::{Date, DateTime};
use secrecy::SecretString;
use serde::Deserialize;

use crate::credits::budget::{Account, Plan};
use crate::credits::pool::Credit;
use crate::fetch::answer::{self, Answer, ApiError};
use crate::fetch::plan::Window;
use crate::fetch::transport::{Http, LostAt, Transport};

/// A client of the API.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<dyn Transport>,
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
        Ok(Self::over(Arc::new(Http::new(url, key)?)))
    }

    /// A client whose requests take this transport.
    pub fn over(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Requests the candles of a window, for one credit.
    pub async fn time_series(&self, series: &Series, window: Window, credit: Credit) -> Result<Answer, ApiError> {
        self.spend("time_series", &query(series, window), credit, answer::read).await
    }

    /// Requests the date of a series' oldest candle, for one credit: in UTC for intraday series, `None` if it has no candle.
    pub async fn earliest(&self, series: &Series, credit: Credit) -> Result<Option<Date>, ApiError> {
        let mut query = names(series);
        query.push(("timezone", "UTC".to_owned()));
        let earliest = self.spend("earliest_timestamp", &query, credit, answer::read_object::<Earliest>).await?;
        let Some(Earliest { datetime }) = earliest else { return Ok(None) };
        let date = datetime.parse::<DateTime>().map(DateTime::date);
        date.map(Some)
            .map_err(|_| ApiError::Transient(format!("the series begins at {datetime:?}, which is not a date")))
    }

    /// Requests whether the API lists a symbol, for one credit. The list has shares but no currency pairs.
    pub async fn is_listed(&self, symbol: &Symbol, credit: Credit) -> Result<bool, ApiError> {
        let (name, exchange) = symbol.as_str().split_once(':').unwrap_or((symbol.as_str(), ""));
        let mut query = vec![("symbol", name.to_owned())];
        query.extend(Some(("exchange", exchange.to_owned())).filter(|_| !exchange.is_empty()));
        let listed = self.spend("stocks", &query, credit, answer::read_object::<Listed>).await?;
        let is_symbol = |entry: &Entry| entry.symbol.eq_ignore_ascii_case(name);
        Ok(listed.is_some_and(|listed| listed.data.iter().any(is_symbol)))
    }

    /// Requests the plan's limits and usage. This costs a credit too, which the answer already counts.
    pub async fn usage(&self) -> Result<Account, ApiError> {
        let response = self.transport.get("api_usage", &[]).await.map_err(ApiError::from)?;
        let usage = answer::read_object::<Usage>(response.status, &response.body)?;
        let usage = usage.ok_or_else(|| ApiError::Transient("the account has no usage".to_owned()))?;
        let plan = Plan { per_minute: usage.plan_limit, per_day: usage.plan_daily_limit };
        Ok(Account { plan, used: usage.current_usage, used_today: usage.daily_usage.unwrap_or_default() })
    }

    /// Sends a request for one credit and records the outcome in the budget.
    async fn spend<T>(
        &self,
        path: &str,
        query: &[(&str, String)],
        mut credit: Credit,
        read: impl Fn(u16, &[u8]) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        credit.mark_sent();
        let response = self.transport.get(path, query).await.map_err(|lost| {
            if lost.at == LostAt::Connecting {
                credit.mark_unsent();
            }
            ApiError::from(lost)
        })?;
        credit.set_usage(response.usage);
        let answer = read(response.status, &response.body);
        credit.finish(answer.as_ref().err());
        answer
    }
}

fn names(series: &Series) -> Vec<(&'static str, String)> {
    vec![("symbol", series.symbol.to_string()), ("interval", series.interval.to_string())]
}

/// Intraday times are requested in UTC, so that none is ambiguous. The API dates longer candles by the exchange's calendar.
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
