//! Where traces and runs get their names.

use jiff::Timestamp;

use crate::core::trace::TraceParent;
use crate::runtime::chance;

/// Begins a trace.
#[must_use]
pub fn new_trace() -> TraceParent {
    loop {
        let trace_id = u128::from(chance::next()) << 64 | u128::from(chance::next());
        if let Some(trace) = TraceParent::new(trace_id, chance::next()) {
            return trace;
        }
    }
}

/// Names a run by the time it began at, with a few random digits behind: `20241230T220000-1f4e`.
#[must_use]
pub fn new_run(now: Timestamp) -> String {
    format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%S"), chance::next() as u16)
}
