//! How the owner hears of what needs them.

use async_trait::async_trait;

/// Something the owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What kind of thing it is, one word for one kind: `dead_letter`.
    pub kind: &'static str,
    /// What it affects: a key, a symbol, a queue.
    pub subject: String,
    /// What happened, and what to do next. Never a secret.
    pub text: String,
}

/// Carries alerts to the owner.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Takes charge of an alert. It does not fail: an adapter that cannot deliver says so in the log, because the work
    /// that raised the alert is settled either way.
    async fn notify(&self, alert: Alert);
}
