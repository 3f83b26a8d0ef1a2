//! Protection from being ended in the middle of work.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

/// Whoever may end this process to have fewer of its kind.
#[async_trait]
pub trait Protection: Send + Sync {
    /// Asks that this process be left alone for that long, counted from now; none takes an earlier request back.
    async fn protect(&self, length: Option<Duration>) -> Result<(), ProtectionError>;
}

/// The request was not granted; this process may be ended at any time.
#[derive(Debug, Error)]
#[error("set the protection from scale-in: {0}")]
pub struct ProtectionError(pub String);
