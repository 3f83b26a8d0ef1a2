//! Alerts as lines of the log.

use async_trait::async_trait;

use crate::core::alert::{Severity, State};
use crate::ports::notifier::{Alert, Notifier};

/// Writes each alert to the log: what presses as an error, because somebody must look.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn notify(&self, alert: Alert) {
        let (kind, subject, state) = (alert.kind.as_str(), &alert.subject, alert.state.as_str());
        match (alert.state, alert.kind.severity()) {
            (State::Firing, Severity::Error) => tracing::error!(alert = kind, subject, state, "{}", alert.text),
            _ => tracing::warn!(alert = kind, subject, state, "{}", alert.text),
        }
    }
}
