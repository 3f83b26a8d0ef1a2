//! The metrics: this is the only place that names them.
//!
//! The metrics of the queues are named by OpenTelemetry's semantic conventions for messaging; Prometheus shows their
//! dots as underscores. Labels have few values: never a symbol or a key.

use std::time::Duration;

use jiff::Timestamp;
use metrics::{counter, gauge, histogram};

use crate::runtime::outcome::{Outcome, Setback, Settled};

/// Counts messages that were received.
pub fn received(stage: &'static str, messages: usize) {
    counter!("messaging.client.consumed.messages", "stage" => stage).increment(messages as u64);
}

/// Records how long the work on a message took, and how it ended.
pub fn processed(stage: &'static str, outcome: &Outcome, took: Duration) {
    histogram!("messaging.process.duration", "stage" => stage, "outcome" => name_of(outcome)).record(took);
}

fn name_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(Settled::Done) => "done",
        Ok(Settled::Superseded(_)) => "superseded",
        Ok(Settled::Unseen(_)) => "unseen",
        Err(Setback::Retry(_)) => "retry",
        Err(Setback::Unclear { .. }) => "unclear",
        Err(Setback::Down(_)) => "down",
        Err(Setback::Later { .. }) => "later",
        Err(Setback::Permanent(_)) => "permanent",
        Err(Setback::LeaseLost { .. }) => "lease_lost",
    }
}

/// Counts an object that a tool left behind and that is not a file of candles.
pub fn leftover(prefix: &str) {
    counter!("candlewick_leftovers_total", "hop" => prefix.trim_end_matches('/').to_owned()).increment(1);
}

/// Counts a message that was moved to the dead-letter queue.
pub fn buried(stage: &'static str, class: &'static str) {
    counter!("candlewick_dead_letters_total", "stage" => stage, "class" => class).increment(1);
}

/// Records the time from an object's event until the hop that it woke has finished. A hop is named by the prefix that
/// it reads.
pub fn hop_done(prefix: &str, event: Timestamp, now: Timestamp) {
    let lag = now.duration_since(event).as_secs_f64().max(0.0);
    histogram!("candlewick_pipeline_lag_seconds", "hop" => prefix.trim_end_matches('/').to_owned()).record(lag);
}

/// Counts candles that a load `inserted`, `updated`, left `unchanged` or `removed`.
pub fn candles(change: &'static str, candles: i64) {
    counter!("candlewick_candles_total", "change" => change).increment(candles.unsigned_abs());
}

/// Counts quarantined rows by reason.
pub fn quarantined(reason: &str, rows: u64) {
    counter!("candlewick_quarantined_rows_total", "reason" => reason.to_owned()).increment(rows);
}

/// Sets how many API credits remain `of` the `minute` or the `day`.
pub fn credits_left(of: &'static str, credits: f64) {
    gauge!("candlewick_api_credits_remaining", "of" => of).set(credits);
}

/// Counts an attempt to send an event to a sink: `sent` or `failed`.
pub fn event_sent(sink: &'static str, outcome: &'static str) {
    counter!("candlewick_events_sent_total", "sink" => sink, "outcome" => outcome).increment(1);
}

/// Counts an attempt to inform the owner: `sent`, `failed` or `given_up`.
pub fn alert_sent(channel: &'static str, outcome: &'static str) {
    counter!("candlewick_alerts_sent_total", "channel" => channel, "outcome" => outcome).increment(1);
}
