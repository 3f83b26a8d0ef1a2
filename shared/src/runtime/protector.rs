//! Protects this process from being stopped while messages are in flight.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::ports::protection::Protection;

/// How long protection is requested for. A process that dies without removing it loses it after this time.
const LENGTH: Duration = Duration::from_secs(600);

/// How often protection is renewed: early enough that one call may fail.
const RENEWAL: Duration = Duration::from_secs(240);

/// How long nothing must be in flight before protection is removed: the agent limits the rate of calls, and messages
/// arrive in bursts.
const LINGER: Duration = Duration::from_secs(15);

/// The number of messages in flight.
#[derive(Clone, Debug, Default)]
pub struct InFlight(watch::Sender<usize>);

/// Counts one message as in flight until it is dropped.
pub struct InFlightGuard(watch::Sender<usize>);

impl InFlight {
    /// Counts one more message as in flight.
    #[must_use]
    pub fn enter(&self) -> InFlightGuard {
        self.0.send_modify(|count| *count += 1);
        InFlightGuard(self.0.clone())
    }

    /// A channel with the current number and every change of it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.0.subscribe()
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Keeps protection while messages are in flight, and removes it afterwards. Returns when no message can be in flight
/// any more.
pub async fn protect(protection: Arc<dyn Protection>, mut in_flight: watch::Receiver<usize>) {
    while in_flight.wait_for(|count| *count > 0).await.is_ok() {
        hold(protection.as_ref(), &mut in_flight).await;
        request(protection.as_ref(), None).await;
    }
}

async fn hold(protection: &dyn Protection, in_flight: &mut watch::Receiver<usize>) {
    loop {
        request(protection, Some(LENGTH)).await;
        tokio::select! {
            biased;
            () = idle(in_flight) => return,
            () = sleep(RENEWAL) => {}
        }
    }
}

/// Returns when nothing has been in flight for a while.
async fn idle(in_flight: &mut watch::Receiver<usize>) {
    while in_flight.wait_for(|count| *count == 0).await.is_ok() {
        if timeout(LINGER, in_flight.wait_for(|count| *count > 0)).await.is_err() {
            return;
        }
    }
}

/// Sends a request and logs its failure. Work continues without protection: if it is cut off, its message is delivered
/// again.
async fn request(protection: &dyn Protection, length: Option<Duration>) {
    if let Err(error) = protection.protect(length).await {
        tracing::warn!("{error}");
    }
}
