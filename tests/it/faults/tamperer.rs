//! Makes messages arrive twice, late and out of order.

use std::time::Duration;

use anyhow::Context;
use candlewick_shared::ports::queue::{Message, NewMessage, Queue};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use tokio::time::{sleep, timeout};

use super::plan::Plan;
use super::support::Environment;

/// How many messages are sent again at a time.
const AGAIN: usize = 3;

/// How many times messages are sent again. Each one is additional work, and this is no test of speed.
const ROUNDS: usize = 25;

/// The maximum time for which a message is held back, in seconds.
const LONGEST: u64 = 3;

/// Receives messages from their queues, like a consumer that then vanishes, so that they are redelivered after later
/// ones; and sends earlier messages again, in any order. It never ends by itself.
pub async fn tamper(environment: &Environment, plan: &Plan) -> anyhow::Result<()> {
    let mut dice = StdRng::seed_from_u64(!plan.seed);
    let mut seen: [Vec<String>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (role, seen) in ["raw", "transformed"].into_iter().zip(&mut seen) {
            let held = hold_back(environment, role, dice.random_range(1..=LONGEST)).await?;
            seen.extend(held.into_iter().map(|message| message.body));
            send_again(environment, role, &mut dice, seen).await?;
        }
        sleep(Duration::from_millis(dice.random_range(200..1800))).await;
    }
    std::future::pending().await
}

/// Leases the available messages, and lets the leases expire.
async fn hold_back(environment: &Environment, role: &str, seconds: u64) -> anyhow::Result<Vec<Message>> {
    let queue = environment.queue(role);
    let waiting = queue.depth().await.context("look at a queue")?.waiting;
    if waiting == 0 {
        return Ok(Vec::new());
    }
    // Other consumers may take the waiting messages; then none arrives for a long time.
    let received = timeout(Duration::from_secs(1), queue.receive(AGAIN, Duration::from_secs(seconds))).await;
    let held = received.unwrap_or(Ok(Vec::new())).context("hold messages back")?;
    environment.tally.add("message held back behind others", held.len() as u64);
    Ok(held)
}

async fn send_again(environment: &Environment, role: &str, dice: &mut StdRng, seen: &[String]) -> anyhow::Result<()> {
    let chosen = seen.choose_multiple(dice, AGAIN);
    let copies: Vec<_> = chosen.map(|body| NewMessage { body: body.clone(), ..NewMessage::default() }).collect();
    environment.queue(role).send(&copies).await.context("send messages again")?;
    environment.tally.add("message sent again", copies.len() as u64);
    Ok(())
}
