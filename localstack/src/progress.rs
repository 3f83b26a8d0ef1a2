//! Progress messages for the user while programs start and stop.

use std::sync::Arc;

/// Receives progress messages, from any thread.
pub trait Progress: Send + Sync {
    /// Receives one message. `source` is the program that it is about, such as `postgres`, and is not part of `text`.
    fn line(&self, source: &str, text: &str);
}

impl<F: Fn(&str, &str) + Send + Sync> Progress for F {
    fn line(&self, source: &str, text: &str) {
        self(source, text);
    }
}

/// A shared [`Progress`] that is cheap to clone.
pub type Reporter = Arc<dyn Progress>;

/// Returns a reporter that discards all messages.
pub fn silent() -> Reporter {
    Arc::new(|_: &str, _: &str| {})
}
