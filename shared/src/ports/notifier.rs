//! How the owner hears of what needs them.

use async_trait::async_trait;

pub use crate::core::alert::{Alert, Kind};

/// Carries alerts to the owner.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Takes charge of an alert. It does not fail: an adapter that cannot deliver says so in the log, because the work
    /// that raised the alert is settled either way.
    async fn notify(&self, alert: Alert);
}
