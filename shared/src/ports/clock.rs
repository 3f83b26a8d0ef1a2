//! The clock.

use std::sync::Arc;

use jiff::Timestamp;

/// Returns the current time. Only the imperative shell holds a clock; decisions take the time as an argument.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
