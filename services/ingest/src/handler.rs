//! Ask, decide, put.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::key::{ObjectPath, Part, Series};
use candlewick_shared::core::metadata::{Instrument, RawMetadata};
use candlewick_shared::core::raw_csv::{self, SourceRow};
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::trace::TraceParent;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_shared::runtime::layers::Delivery;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::answer::{Answer, ApiError, Meta};
use crate::client::Client;
use crate::plan::{self, Fetch};
use crate::refresh;

/// The handler of ingest messages.
#[derive(Clone)]
pub struct Ingest {
    /// The way to the API.
    pub client: Client,
    /// Where raw objects go.
    pub store: Arc<dyn ObjectStore>,
    /// Where the messages of single series go: the queue that they come from.
    pub queue: Arc<dyn Queue>,
    /// The file with the watchlist, which is read at each refresh.
    pub watchlist: PathBuf,
    /// The time.
    pub now: Now,
}

/// A series to fetch, for whom, and in which trace.
struct Task {
    series: Series,
    run: String,
    trace: Option<TraceParent>,
}

impl Ingest {
    /// Answers a refresh with a message for each series, and fetches a series.
    ///
    /// # Errors
    /// A permanent setback where the message can never be answered; otherwise that of the API, the store or the queue.
    pub async fn handle(self, delivery: Delivery) -> Outcome {
        let message = serde_json::from_str(&delivery.body).map_err(|error| Failure::new("bad_message", error))?;
        match message {
            IngestMessage::Refresh { run, symbols } => {
                let run = run.unwrap_or_else(|| delivery.id.clone());
                self.fan_out(&run, &symbols).await
            }
            IngestMessage::Fetch { run, symbol, interval, traceparent } => {
                let task = Task { series: Series { symbol, interval }, run, trace: traceparent.parse().ok() };
                self.fetch(&task).await
            }
        }
    }

    async fn fan_out(&self, run: &str, symbols: &[Symbol]) -> Outcome {
        let watchlist = self.read_watchlist().await?;
        let series = refresh::chosen(&watchlist, symbols).map_err(|symbol| {
            Failure::new("unknown_symbol", format!("{symbol} is not on the watchlist: add it, and refresh again"))
        })?;
        let messages: Result<Vec<_>, _> = refresh::messages(series, run).iter().map(serde_json::to_string).collect();
        let bodies = messages.context("write messages")?.into_iter();
        let messages: Vec<_> = bodies.map(|body| NewMessage { body, ..NewMessage::default() }).collect();
        self.queue.send(&messages).await?;
        tracing::info!(run, series = messages.len(), "refresh begun");
        Ok(Settled::Done)
    }

    async fn read_watchlist(&self) -> Result<Watchlist, Setback> {
        let path = self.watchlist.display();
        let text =
            tokio::fs::read_to_string(&self.watchlist).await.with_context(|| format!("read the watchlist {path}"))?;
        Ok(text.parse().map_err(|error| Failure::new("bad_watchlist", format!("{path}: {error}")))?)
    }

    async fn fetch(&self, task: &Task) -> Outcome {
        for fetch in plan::history(task.series.interval, (self.now)()) {
            self.fetch_part(task, &fetch).await?;
        }
        Ok(Settled::Done)
    }

    /// Fetches what one raw object is made of, and writes it. A window with nothing in it writes nothing: what an earlier
    /// day fetched stays.
    async fn fetch_part(&self, task: &Task, fetch: &Fetch) -> Result<(), Setback> {
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
            return Ok(());
        }
        self.put(task, fetch.part, meta, &rows).await
    }

    async fn put(&self, task: &Task, part: Part, meta: Meta, rows: &[SourceRow]) -> Result<(), Setback> {
        let body = raw_csv::write(rows).context("write the raw CSV")?;
        let metadata = RawMetadata {
            source: Some("twelvedata".to_owned()),
            fetched_at: Some((self.now)()),
            instrument: instrument(meta, task.series.interval.is_intraday()),
            adjust: Some("splits".to_owned()).filter(|_| !task.series.interval.is_intraday()),
            sha256: Some(Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect()),
            traceparent: task.trace,
            run: Some(task.run.clone()),
            first_written: None,
        };
        let key = ObjectPath { series: task.series.clone(), part }.raw_key();
        self.store.put(&key, NewObject::csv(body, metadata.write()), PutIf::Always).await?;
        tracing::info!(key, rows = rows.len(), run = task.run, "fetched");
        Ok(())
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
