//! Alerts as lines of the log.

use async_trait::async_trait;

use crate::ports::notifier::{Alert, Notifier};

/// Writes each alert to the log, as an error: somebody must look.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn notify(&self, alert: Alert) {
        tracing::error!(alert = alert.kind, subject = alert.subject, "{}", alert.text);
    }
}
