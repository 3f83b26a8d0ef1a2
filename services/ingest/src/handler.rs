//! Ask, decide, put.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::key::{ObjectPath, Part, Series};
use candlewick_shared::core::metadata::{Instrument, RawMetadata};
use candlewick_shared::core::raw_csv::{self, SourceRow};
use candlewick_shared::core::trace::TraceParent;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::ports::runs::{Runs, Written};
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_shared::runtime::layers::Delivery;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback};
use candlewick_shared::runtime::telemetry;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tracing::Instrument as _;

use crate::answer::{Answer, ApiError, Meta};
use crate::client::Client;
use crate::plan::{self, Fetch};

/// The handler of ingest messages.
#[derive(Clone)]
pub struct Ingest {
    /// The way to the API.
    pub client: Client,
    /// Where raw objects go.
    pub store: Arc<dyn ObjectStore>,
    /// Where the messages of single series go: the queue that they come from.
    pub queue: Arc<dyn Queue>,
    /// The watchlist, which is looked at for each page of a refresh.
    pub watchlist: Arc<WatchlistSource>,
    /// The book of runs.
    pub runs: Arc<dyn Runs>,
    /// The time.
    pub now: Now,
}

/// A series to fetch, for whom, and in which trace.
pub(crate) struct Task {
    pub(crate) series: Series,
    pub(crate) run: String,
    pub(crate) trace: Option<TraceParent>,
}

impl Ingest {
    /// Answers a refresh with a message for each series, and fetches a series.
    ///
    /// # Errors
    /// A permanent setback where the message can never be answered; otherwise that of the API, the store or the queue.
    pub async fn handle(self, delivery: Delivery) -> Outcome {
        let message = serde_json::from_str(&delivery.body).map_err(|error| Failure::new("bad_message", error))?;
        match message {
            IngestMessage::Refresh(asked) => self.lay_out(&asked, &delivery.id).await,
            IngestMessage::Fetch { run, symbol, interval, traceparent } => {
                let task = Task { series: Series { symbol, interval }, run, trace: traceparent.parse().ok() };
                let span = tracing::info_span!("fetch", series = %task.series, run = task.run, otel.kind = "client");
                let span = telemetry::follow(span, task.trace);
                self.fetch_for_run(&task).instrument(span).await
            }
        }
    }

    /// Fetches a series, and returns what it wrote.
    pub(crate) async fn fetch(&self, task: &Task) -> Result<Vec<Written>, Setback> {
        let mut written = Vec::new();
        for fetch in plan::history(task.series.interval, (self.now)()) {
            written.extend(self.fetch_part(task, &fetch).await?);
        }
        Ok(written)
    }

    /// Fetches what one raw object is made of, and writes it. A window with nothing in it writes nothing: what an earlier
    /// day fetched stays.
    async fn fetch_part(&self, task: &Task, fetch: &Fetch) -> Result<Option<Written>, Setback> {
        let (mut meta, mut rows) = (Meta::default(), Vec::new());
        for window in fetch.windows.iter().rev() {
            let answer = self.client.time_series(&task.series, *window).await;
            match answer.map_err(|error| setback(task, error, (self.now)()))? {
                Answer::Candles(said, candles) => {
                    meta = said;
                    rows.extend(candles);
                }
                Answer::Nothing => {}
            }
        }
        if rows.is_empty() {
            tracing::info!(series = %task.series, "nothing to fetch");
            return Ok(None);
        }
        self.put(task, fetch.part, meta, &rows).await.map(Some)
    }

    async fn put(&self, task: &Task, part: Part, meta: Meta, rows: &[SourceRow]) -> Result<Written, Setback> {
        let body = raw_csv::write(rows).context("write the raw CSV")?;
        let fetched_at = (self.now)();
        let metadata = RawMetadata {
            source: Some("twelvedata".to_owned()),
            fetched_at: Some(fetched_at),
            instrument: instrument(meta, task.series.interval.is_intraday()),
            adjust: Some("splits".to_owned()).filter(|_| !task.series.interval.is_intraday()),
            sha256: Some(Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect()),
            traceparent: telemetry::current().or(task.trace),
            run: Some(task.run.clone()),
            first_written: None,
        };
        let path = ObjectPath { series: task.series.clone(), part };
        let key = path.raw_key();
        self.store.put(&key, NewObject::csv(body, metadata.write()), PutIf::Always).await?;
        tracing::info!(key, rows = rows.len(), run = task.run, "fetched");
        Ok(Written { path, fetched_at })
    }
}

/// What is said of an instrument. Intraday times were asked for in UTC, whatever the exchange's time zone.
fn instrument(meta: Meta, intraday: bool) -> Instrument {
    Instrument {
        instrument_type: meta.instrument_type,
        currency: meta.currency.or(meta.currency_quote),
        calendar: meta.mic_code,
        timezone: if intraday { Some("UTC".to_owned()) } else { meta.exchange_timezone },
    }
}

/// Which errors pass, and when.
fn setback(task: &Task, error: ApiError, now: Timestamp) -> Setback {
    let trace_id = task.trace.map(|trace| trace.trace_id());
    let text = format!("{}: {error}", task.series);
    let failure = |class| Failure::new(class, &text).traced(trace_id).into();
    match error {
        ApiError::UnknownSymbol(_) => failure("unknown_symbol"),
        ApiError::Plan(_) => failure("plan"),
        ApiError::Key(_) => failure("api_key"),
        ApiError::Request(_) => failure("bad_request"),
        ApiError::MinuteCredits(_) => Setback::Later { wait: until_next(60, now), reason: text },
        // A message can stay hidden for twelve hours at the most: it looks again then.
        ApiError::DayCredits(_) => {
            Setback::Later { wait: until_next(86_400, now).min(Duration::from_secs(43_200)), reason: text }
        }
        ApiError::Unreachable(_) => Setback::Down(anyhow!(text)),
        ApiError::Passing(_) => Setback::Retry(anyhow!(text)),
    }
}

/// The time until the next whole minute or day, and a second more, because clocks differ.
fn until_next(seconds: i64, now: Timestamp) -> Duration {
    let left = seconds - now.as_second().rem_euclid(seconds);
    Duration::from_secs(left.unsigned_abs() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_credits_come_back_with_the_next_minute() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(until_next(60, at("2024-12-30T22:00:50Z")), Duration::from_secs(11));
        assert_eq!(until_next(86_400, at("2024-12-30T23:59:00Z")), Duration::from_secs(61));
    }
}
