//! Generates the ids of traces and runs.

use jiff::Timestamp;

use crate::core::trace::TraceParent;
use crate::runtime::chance;

/// Generates the ids of a new trace and its first span.
#[must_use]
pub fn new_trace() -> TraceParent {
    loop {
        let trace_id = u128::from(chance::next()) << 64 | u128::from(chance::next());
        if let Some(trace) = TraceParent::new(trace_id, chance::next()) {
            return trace;
        }
    }
}

/// Generates the id of a run from the time at which it began and four random hexadecimal digits:
/// `20241230T220000-1f4e`.
#[must_use]
pub fn new_run(now: Timestamp) -> String {
    format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%S"), chance::next() as u16)
}
