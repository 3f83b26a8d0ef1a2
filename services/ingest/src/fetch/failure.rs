//! What an error of the API means for the message.

use std::time::Duration;

use anyhow::anyhow;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::trace::TraceParent;
use candlewick_shared::runtime::outcome::{Failure, Setback};

use crate::fetch::answer::ApiError;

/// Maps an error of the API to a setback of the message. `wait` is the time until there are credits again.
pub fn setback(series: &Series, trace: Option<TraceParent>, error: ApiError, wait: Duration) -> Setback {
    let text = format!("{series}: {error}");
    let failure = |class| Failure::new(class, &text).traced(trace.map(|trace| trace.trace_id())).into();
    match error {
        ApiError::UnknownSymbol(_) => failure("unknown_symbol"),
        ApiError::NoData(_) => failure("no_data"),
        ApiError::Plan(..) => failure("plan"),
        ApiError::Key(_) => failure("api_key"),
        ApiError::Request(_) => failure("bad_request"),
        ApiError::MinuteCredits(_) | ApiError::DayCredits(_) => Setback::Later { wait, reason: text },
        ApiError::Transient(_) => Setback::Retry(anyhow!(text)),
        ApiError::Unreachable(_) => Setback::Down(anyhow!(text)),
    }
}
