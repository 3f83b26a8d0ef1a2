//! Requests runs: checks what was asked for, records the run, and sends its message to ingest.

use candlewick_shared::adapters::database::ToSqlx;
use candlewick_shared::core::ingest_message::{IngestMessage, Refresh};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::run::RunId;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::reads::runs::{self, RunProgress};
use candlewick_shared::runtime::tracing_ids::new_run;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;

/// The most symbols that a request may name, because every message of the run contains all of them.
const MOST_SYMBOLS: usize = 1_000;

/// The most characters of a reason.
const MOST_OF_A_REASON: usize = 500;

/// What to fetch.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The id of the run: 1 to 200 characters of `A-Z a-z 0-9 . _ : + = @ ~ -`. The same id twice is one run. Without it,
    /// a new one is made.
    #[schema(value_type = Option<String>, example = "manual__2024-12-30T22:00:00+00:00")]
    pub id: Option<RunId>,
    /// The symbols, which must be on the watchlist; at most 1000. None means all.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["AAPL", "BTC/USD"]))]
    pub symbols: Vec<Symbol>,
    /// The intervals. None means all.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["1day"]))]
    pub intervals: Vec<Interval>,
    /// Why, for people who look at the run later; at most 500 characters.
    pub reason: Option<String>,
}

impl RunRequest {
    /// The same request in one spelling: sorted, and without duplicates.
    fn normal(mut self) -> Self {
        self.symbols.sort();
        self.symbols.dedup();
        self.intervals.sort();
        self.intervals.dedup();
        self
    }

    fn check(&self) -> Result<(), Problem> {
        if self.symbols.len() > MOST_SYMBOLS {
            return Err(Problem::bad_request(format!(
                "more than {MOST_SYMBOLS} symbols: name none for all, or request several runs"
            )));
        }
        let reason = self.reason.as_deref().unwrap_or_default();
        if reason.chars().count() > MOST_OF_A_REASON || reason.chars().any(char::is_control) {
            return Err(Problem::bad_request(format!("reason: at most {MOST_OF_A_REASON} characters on one line")));
        }
        Ok(())
    }

    /// Checks that the watchlist has all that is asked for.
    fn check_against(&self, watchlist: &Watchlist) -> Result<(), Problem> {
        if let Some(unknown) = self.symbols.iter().find(|symbol| watchlist.series_of(symbol).next().is_none()) {
            return Err(Problem::bad_request(format!("{unknown} is not on the watchlist")));
        }
        let is_asked = |symbol: &Symbol, interval: Interval| {
            (self.symbols.is_empty() || self.symbols.contains(symbol))
                && (self.intervals.is_empty() || self.intervals.contains(&interval))
        };
        if watchlist.series().any(|series| is_asked(&series.symbol, series.interval)) {
            return Ok(());
        }
        Err(Problem::bad_request("no series of the watchlist has these intervals"))
    }

    fn message(&self, run: &str) -> IngestMessage {
        let symbols = self.symbols.clone();
        let intervals = self.intervals.clone();
        IngestMessage::Refresh(Refresh { run: Some(run.to_owned()), symbols, intervals, ..Refresh::default() })
    }
}

/// Requests a run, and returns it. Of several requests with the same id, one is fetched.
///
/// The run is recorded before its message is sent. A request that fails in between is repeated with the same id: while no
/// service has begun the run, each request sends a message, and ingest begins a run once, whatever the number of messages.
pub async fn request(app: &App, request: RunRequest) -> Result<RunProgress, Problem> {
    request.check()?;
    let request = request.normal();
    let ingest = app.ingest.as_ref().ok_or_else(|| Problem::unavailable("INGEST_QUEUE_URL is not set"))?;
    let run = request.id.as_ref().map_or_else(|| new_run((app.now)()), ToString::to_string);
    if runs::one(&app.pool, &run).await?.is_none()
        && let Some(watchlist) = app.watchlist().await?
    {
        request.check_against(&watchlist)?;
    }
    match record(app, &run, &request).await?.as_str() {
        "differs" => {
            return Err(Problem::conflict(format!("run {run} was requested for other series: use another id")));
        }
        "send" => send(ingest.as_ref(), &run, &request).await?,
        _ => {}
    }
    tracing::info!(run, "requested a run");
    runs::one(&app.pool, &run).await?.ok_or_else(|| Problem::unavailable("the run is gone: request it again"))
}

/// Records the run, in the only transaction of the dashboard that writes.
async fn record(app: &App, run: &str, request: &RunRequest) -> Result<String, Problem> {
    let symbols: Vec<_> = request.symbols.iter().map(Symbol::as_str).collect();
    let intervals: Vec<_> = request.intervals.iter().map(|interval| interval.as_str()).collect();
    let mut transaction = app.pool.begin_with("begin read write").await?;
    let todo = sqlx::query_scalar("select run_request($1, $2, $3, $4, $5)")
        .bind(run)
        .bind((app.now)().to_sqlx())
        .bind(symbols)
        .bind(intervals)
        .bind(&request.reason)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(todo)
}

async fn send(queue: &dyn Queue, run: &str, request: &RunRequest) -> Result<(), Problem> {
    let unsent = |error: &dyn std::fmt::Display| {
        tracing::warn!(run, "send the message of a run: {error}");
        Problem::unavailable(format!(
            "run {run} is recorded, and its message to ingest could not be sent: request it again with the same id"
        ))
    };
    let body = serde_json::to_string(&request.message(run)).map_err(|error| unsent(&error))?;
    queue.send(&[NewMessage { body, ..NewMessage::default() }]).await.map_err(|error| unsent(&error))
}
