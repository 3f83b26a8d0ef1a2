//! Protection from being stopped in the middle of work.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

/// A platform that may stop this process when it scales the service in.
#[async_trait]
pub trait Protection: Send + Sync {
    /// Asks the platform not to stop this process for `length` from now. `None` withdraws an earlier request.
    async fn protect(&self, length: Option<Duration>) -> Result<(), ProtectionError>;
}

/// The request was not granted, so the platform may stop this process at any time.
#[derive(Debug, Error)]
#[error("set scale-in protection: {0}")]
pub struct ProtectionError(pub String);
