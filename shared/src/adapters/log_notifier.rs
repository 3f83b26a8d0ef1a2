//! Writes alerts to the log.

use async_trait::async_trait;

use crate::core::alert::{Severity, State};
use crate::ports::notifier::{Alert, Notifier};

/// Writes each alert to the log: a firing alert that needs attention as an error, any other as a warning.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn notify(&self, alert: Alert) {
        let kind = alert.kind.as_str();
        let subject = &alert.subject;
        let state = alert.state.as_str();
        match (alert.state, alert.kind.severity()) {
            (State::Firing, Severity::Error) => tracing::error!(alert = kind, subject, state, "{}", alert.text),
            _ => tracing::warn!(alert = kind, subject, state, "{}", alert.text),
        }
    }
}
