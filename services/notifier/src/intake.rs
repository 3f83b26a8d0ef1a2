//! Records the alerts of the services in the database. Once they are there, their messages can be deleted.

use candlewick_shared::adapters::database::{DatabaseError, DbContext};
use candlewick_shared::core::alert::{AlertEvent, Kind, State};
use candlewick_shared::ports::clock::Now;
use candlewick_shared::runtime::layers::Delivery;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Settled};
use sqlx::PgPool;
use tokio::sync::mpsc;

use crate::{alerts, runs};

/// The handler of the alerts queue.
#[derive(Clone)]
pub struct Intake {
    pub pool: PgPool,
    /// Wall-clock time.
    pub now: Now,
    /// Wakes the planner.
    pub wake: mpsc::Sender<()>,
}

impl Intake {
    /// Records an event. It is committed before the message is deleted, and a second delivery changes nothing.
    pub async fn handle(self, delivery: Delivery) -> Outcome {
        let event = serde_json::from_str(&delivery.body).map_err(|error| Failure::new("bad_message", error))?;
        let is_new = self.record(&event).await?;
        if !is_new {
            return Ok(Settled::Superseded("this alert event is already recorded".to_owned()));
        }
        // If the channel is full, the planner has been woken already.
        let _ = self.wake.try_send(());
        Ok(Settled::Done)
    }

    async fn record(&self, event: &AlertEvent) -> Result<bool, DatabaseError> {
        let mut transaction = self.pool.begin().await.db_context("begin a transaction")?;
        let is_new = alerts::record_event(&mut transaction, event, (self.now)()).await.db_context("write an alert")?;
        if is_new && is_given_up(event) {
            runs::fail_series(&mut transaction, event).await?;
        }
        transaction.commit().await.db_context("commit an alert")?;
        Ok(is_new)
    }
}

/// Whether a message was given up, in which case its series has failed in its run.
fn is_given_up(event: &AlertEvent) -> bool {
    matches!(event.alert.kind, Kind::DeadLetter | Kind::IngestFailed) && event.alert.state == State::Firing
}
