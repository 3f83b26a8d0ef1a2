//! Writes what services say into the database: what is there is never lost, and the message may go.

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
    /// The database.
    pub pool: PgPool,
    /// The machine's time.
    pub now: Now,
    /// Tells whoever plans that there is something new.
    pub wake: mpsc::Sender<()>,
}

impl Intake {
    /// Takes an event in. It is written before the message is deleted, and one that comes again changes nothing.
    pub async fn handle(self, delivery: Delivery) -> Outcome {
        let event = serde_json::from_str(&delivery.body).map_err(|error| Failure::new("bad_message", error))?;
        let is_new = self.take_in(&event).await?;
        if !is_new {
            return Ok(Settled::Superseded("this alert is known".to_owned()));
        }
        // Where the channel is full, the planner has been woken already.
        let _ = self.wake.try_send(());
        Ok(Settled::Done)
    }

    async fn take_in(&self, event: &AlertEvent) -> Result<bool, DatabaseError> {
        let mut transaction = self.pool.begin().await.db_context("begin a transaction")?;
        let is_new = alerts::take_in(&mut transaction, event, (self.now)()).await.db_context("write an alert")?;
        if is_new && is_given_up(event) {
            runs::fail_series(&mut transaction, event).await?;
        }
        transaction.commit().await.db_context("commit an alert")?;
        Ok(is_new)
    }
}

/// Whether a message was given up, and with it a series of its run.
fn is_given_up(event: &AlertEvent) -> bool {
    matches!(event.alert.kind, Kind::DeadLetter | Kind::IngestFailed) && event.alert.state == State::Firing
}
