//! What a person is told while programs start and stop.

use std::sync::Arc;

/// Receives one line of progress at a time, from any thread.
pub trait Progress: Send + Sync {
    /// Takes a line about `source` (a program such as `postgres`); `text` is a sentence without its source.
    fn line(&self, source: &str, text: &str);
}

impl<F: Fn(&str, &str) + Send + Sync> Progress for F {
    fn line(&self, source: &str, text: &str) {
        self(source, text);
    }
}

/// A shared progress, cheap to clone into tasks.
pub type Reporter = Arc<dyn Progress>;

/// A reporter that says nothing.
pub fn silent() -> Reporter {
    Arc::new(|_: &str, _: &str| {})
}
