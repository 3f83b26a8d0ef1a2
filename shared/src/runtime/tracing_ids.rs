//! Where traces and runs get their names.

use jiff::Timestamp;
use rand::Rng;

use crate::core::trace::TraceParent;

/// Begins a trace.
#[must_use]
pub fn new_trace() -> TraceParent {
    let mut random = rand::rng();
    loop {
        if let Some(trace) = TraceParent::new(random.random(), random.random()) {
            return trace;
        }
    }
}

/// Names a run by the time it began at, with a few random digits behind: `20241230T220000-1f4e`.
#[must_use]
pub fn new_run(now: Timestamp) -> String {
    format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%S"), rand::rng().random::<u16>())
}
