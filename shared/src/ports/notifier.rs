//! Alerts to the owner.

use async_trait::async_trait;

pub use crate::core::alert::{Alert, Kind};

/// Delivers alerts to the owner.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Delivers an alert. This cannot fail, because the work that raised the alert is settled either way: an adapter
    /// that cannot deliver logs the error.
    async fn notify(&self, alert: Alert);
}
