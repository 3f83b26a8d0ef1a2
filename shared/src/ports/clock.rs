//! The one clock.

use std::sync::Arc;

use jiff::Timestamp;

/// Tells what time it is. Whoever decides takes the time as a value; only shells hold a clock.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
