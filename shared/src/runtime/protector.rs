//! Asks that this process be left alone while it has messages in hand.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::ports::protection::Protection;

/// For how long protection is asked for. A process that dies without taking it back is let go after that.
const LENGTH: Duration = Duration::from_secs(600);

/// When it is asked for again: one call in that time may fail.
const RENEWAL: Duration = Duration::from_secs(240);

/// How long nothing must be in hand before it is taken back: the agent takes few calls, and messages come in bursts.
const LINGER: Duration = Duration::from_secs(15);

/// How many messages are in hand.
#[derive(Clone, Debug, Default)]
pub struct InHand(watch::Sender<usize>);

/// One message that is in hand for as long as this lives.
pub struct Held(watch::Sender<usize>);

impl InHand {
    /// Takes one more in hand.
    #[must_use]
    pub fn enter(&self) -> Held {
        self.0.send_modify(|count| *count += 1);
        Held(self.0.clone())
    }

    /// How many there are, now and whenever that changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.0.subscribe()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Keeps protection while something is in hand, and takes it back after; ends when nobody can take anything in hand.
pub async fn protect(protection: Arc<dyn Protection>, mut in_hand: watch::Receiver<usize>) {
    while in_hand.wait_for(|count| *count > 0).await.is_ok() {
        keep(protection.as_ref(), &mut in_hand).await;
        ask(protection.as_ref(), None).await;
    }
}

async fn keep(protection: &dyn Protection, in_hand: &mut watch::Receiver<usize>) {
    loop {
        ask(protection, Some(LENGTH)).await;
        tokio::select! {
            biased;
            () = idle(in_hand) => return,
            () = sleep(RENEWAL) => {}
        }
    }
}

/// Returns when nothing has been in hand for a while.
async fn idle(in_hand: &mut watch::Receiver<usize>) {
    while in_hand.wait_for(|count| *count == 0).await.is_ok() {
        if timeout(LINGER, in_hand.wait_for(|count| *count > 0)).await.is_err() {
            return;
        }
    }
}

/// Work goes on without protection: what is cut off is delivered again.
async fn ask(protection: &dyn Protection, length: Option<Duration>) {
    if let Err(error) = protection.protect(length).await {
        tracing::warn!("{error}");
    }
}
