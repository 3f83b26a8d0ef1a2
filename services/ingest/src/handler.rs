//! Dispatches a message: a refresh becomes one message per series, and a series is fetched.

use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::key::Series;
use candlewick_shared::runtime::layers::Delivery;
use candlewick_shared::runtime::outcome::{Failure, Outcome};
use candlewick_shared::runtime::telemetry;
use tracing::Instrument as _;

use crate::context::Ingest;
use crate::fetch::{self, task::Task};
use crate::refresh;

/// Handles one message of the ingest queue.
pub async fn handle(ingest: Ingest, delivery: Delivery) -> Outcome {
    let allowance = ingest.queue.allowance(&delivery.id);
    let message = serde_json::from_str(&delivery.body).map_err(|error| Failure::new("bad_message", error))?;
    match message {
        IngestMessage::Refresh(request) => refresh::handle(&ingest, &request, &delivery.id).await,
        IngestMessage::Fetch { run, symbol, interval, traceparent, replace } => {
            let task = Task { series: Series { symbol, interval }, run, trace: traceparent.parse().ok(), replace };
            let span = tracing::info_span!("fetch", series = %task.series, run = task.run, otel.kind = "client");
            let span = telemetry::follow(span, task.trace);
            fetch::handle(&ingest, &task, allowance).instrument(span).await
        }
    }
}
