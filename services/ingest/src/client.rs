//! The way to the API.

use std::sync::Arc;

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use jiff::civil::{Date, DateTime};
use secrecy::SecretString;
use serde::Deserialize;

use crate::answer::{self, Answer, ApiError};
use crate::budget::{Account, Plan};
use crate::keeper::Credit;
use crate::plan::Window;
use crate::transport::{Http, LostAt, Transport};

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
    ///
    /// # Errors
    /// A key that cannot be part of a header.
    pub fn new(url: &str, key: &SecretString) -> anyhow::Result<Self> {
        Ok(Self::over(Arc::new(Http::new(url, key)?)))
    }

    /// A client whose requests go this way.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Asks for the candles of a window, for a credit.
    ///
    /// # Errors
    /// [`ApiError`], whether the API or the way to it is at fault.
    pub async fn time_series(&self, series: &Series, window: Window, credit: Credit) -> Result<Answer, ApiError> {
        self.spend("time_series", &query(series, window), credit, answer::read).await
    }

    /// Asks for the date of a series' oldest candle, in UTC for intraday ones, for a credit; none where it has no candle.
    ///
    /// # Errors
    /// [`ApiError`], whether the API or the way to it is at fault.
    pub async fn earliest(&self, series: &Series, credit: Credit) -> Result<Option<Date>, ApiError> {
        let mut query = names(series);
        query.push(("timezone", "UTC".to_owned()));
        let earliest = self.spend("earliest_timestamp", &query, credit, answer::read_object::<Earliest>).await?;
        let Some(Earliest { datetime }) = earliest else { return Ok(None) };
        let date = datetime.parse::<DateTime>().map(DateTime::date);
        date.map(Some).map_err(|_| ApiError::Passing(format!("a series that begins at {datetime:?}")))
    }

    /// Asks whether the API lists a symbol, for a credit. It lists shares there; of pairs it says nothing.
    ///
    /// # Errors
    /// [`ApiError`], whether the API or the way to it is at fault.
    pub async fn is_listed(&self, symbol: &Symbol, credit: Credit) -> Result<bool, ApiError> {
        let (name, exchange) = symbol.as_str().split_once(':').unwrap_or((symbol.as_str(), ""));
        let mut query = vec![("symbol", name.to_owned())];
        query.extend(Some(("exchange", exchange.to_owned())).filter(|_| !exchange.is_empty()));
        let listed = self.spend("stocks", &query, credit, answer::read_object::<Listed>).await?;
        let is_it = |entry: &Entry| entry.symbol.eq_ignore_ascii_case(name);
        Ok(listed.is_some_and(|listed| listed.data.iter().any(is_it)))
    }

    /// Asks for the plan's limits and what was used of them. It costs a credit too, which the answer counts.
    ///
    /// # Errors
    /// [`ApiError`], whether the API or the way to it is at fault.
    pub async fn usage(&self) -> Result<Account, ApiError> {
        let response = self.transport.get("api_usage", &[]).await.map_err(ApiError::from)?;
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
        let response = self.transport.get(path, query).await.map_err(|lost| {
            if lost.at == LostAt::Connecting {
                credit.never_arrived();
            }
            ApiError::from(lost)
        })?;
        credit.told(response.told);
        let answer = read(response.status, &response.body);
        credit.ended(answer.as_ref().err());
        answer
    }
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
        ("outputsize", crate::plan::MOST_CANDLES.to_string()),
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
