//! Generates the ids of traces and runs.

use jiff::Timestamp;
use rand::Rng;

use crate::core::trace::TraceParent;

/// Generates the ids of a new trace and its first span.
#[must_use]
pub fn new_trace() -> TraceParent {
    let mut random = rand::rng();
    loop {
        if let Some(trace) = TraceParent::new(random.random(), random.random()) {
            return trace;
        }
    }
}

/// Generates the id of a run from the time at which it began and four random hexadecimal digits:
/// `20241230T220000-1f4e`.
#[must_use]
pub fn new_run(now: Timestamp) -> String {
    format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%S"), rand::rng().random::<u16>())
}
