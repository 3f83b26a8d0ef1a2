//! Contract tests for [`Queue`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::{Instant, sleep};

use crate::ports::queue::{Attributes, BATCH, Depth, Lease, Message, NewMessage, Queue};

/// A lease that does not end during a check, however busy the machine is.
const LONG: Duration = Duration::from_secs(30);

/// A lease that is short enough to wait for its end.
const SHORT: Duration = Duration::from_secs(2);

/// How long a fast operation of a queue may take.
const MOMENT: Duration = Duration::from_secs(1);

/// Checks that a queue keeps its contract. It must be empty and have no other users; it is empty again afterwards.
///
/// # Errors
///
/// Returns the first promise that the queue breaks.
pub async fn queue(queue: &dyn Queue) -> Result<()> {
    sent_messages_arrive_intact_and_once(queue).await.context("sending and receiving")?;
    a_lease_hides_until_it_ends(queue).await.context("the end of a lease")?;
    an_extended_lease_hides_for_longer(queue).await.context("extending a lease")?;
    a_message_can_be_given_back(queue).await.context("giving back")?;
    a_lost_lease_is_reported(queue).await.context("losing a lease")?;
    deleting_again_does_no_harm(queue).await.context("deleting")?;
    a_receive_waits_for_the_first_message(queue).await.context("waiting")?;
    an_empty_receive_is_no_error(queue).await.context("an empty queue")
}

fn new(body: &str, attributes: &[(&str, &str)]) -> NewMessage {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    NewMessage { body: body.to_owned(), attributes: attributes.iter().map(owned).collect() }
}

async fn send_one(queue: &dyn Queue) -> Result<()> {
    Ok(queue.send(&[new("one", &[])]).await?)
}

async fn receive_one(queue: &dyn Queue, lease: Duration) -> Result<Message> {
    let mut messages = queue.receive(1, lease).await?;
    ensure!(messages.len() == 1, "received {} messages instead of one", messages.len());
    messages.pop().context("take the message")
}

async fn delete(queue: &dyn Queue, message: &Message) -> Result<()> {
    Ok(queue.delete(std::slice::from_ref(&message.receipt)).await?)
}

async fn is_empty(queue: &dyn Queue) -> Result<()> {
    let depth = queue.depth().await?;
    ensure!(depth.is_empty(), "the queue is not empty: {depth:?}");
    Ok(())
}

/// Several batches, non-ASCII text, and up to ten attributes.
async fn sent_messages_arrive_intact_and_once(queue: &dyn Queue) -> Result<()> {
    is_empty(queue).await?;
    let ten: Vec<_> = (0..10).map(|at| format!("name-{at}")).collect();
    let ten: Vec<_> = ten.iter().map(|name| (name.as_str(), "é\u{1f56f} \"<&>")).collect();
    let bodies: Vec<_> = (0..=2 * BATCH).map(|at| format!("{{\"é\u{1f56f}\": \"{at}\\n<&>\"}}")).collect();
    let sent: Vec<_> = bodies.iter().enumerate().map(|(at, body)| new(body, &ten[..at.min(10)])).collect();
    queue.send(&sent).await?;
    ensure!(
        queue.depth().await? == Depth { waiting: sent.len() as u64, ..Depth::default() },
        "wrong depth after sending"
    );
    let received = receive_all(queue, sent.len()).await?;
    let texts: BTreeMap<&str, &Attributes> = received.iter().map(|one| (one.body.as_str(), &one.attributes)).collect();
    ensure!(
        texts == sent.iter().map(|one| (one.body.as_str(), &one.attributes)).collect(),
        "wrong bodies or attributes"
    );
    let ids: BTreeSet<_> = received.iter().map(|one| &one.id).collect();
    ensure!(
        ids.len() == sent.len() && received.iter().all(|one| one.receive_count == 1),
        "wrong ids or receive counts"
    );
    ensure!(
        queue.depth().await? == Depth { in_flight: sent.len() as u64, ..Depth::default() },
        "wrong depth while the messages are leased"
    );
    let receipts: Vec<_> = received.into_iter().map(|one| one.receipt).collect();
    for batch in receipts.chunks(BATCH) {
        queue.delete(batch).await?;
    }
    is_empty(queue).await
}

async fn receive_all(queue: &dyn Queue, count: usize) -> Result<Vec<Message>> {
    let mut received = Vec::new();
    while received.len() < count {
        let most = (received.len() % BATCH) + 1;
        let messages = queue.receive(most, LONG).await?;
        ensure!((1..=most).contains(&messages.len()), "received {} messages, asked for {most}", messages.len());
        received.extend(messages);
    }
    Ok(received)
}

async fn a_lease_hides_until_it_ends(queue: &dyn Queue) -> Result<()> {
    send_one(queue).await?;
    let start = Instant::now();
    let first = receive_one(queue, SHORT).await?;
    let second = receive_one(queue, LONG).await?;
    ensure!(start.elapsed() + MOMENT >= SHORT, "delivered again after {:?}", start.elapsed());
    ensure!(first.id == second.id && first.body == second.body, "received another message");
    ensure!(
        first.receipt != second.receipt && second.receive_count == 2,
        "the receipt is not new, or the receive count is wrong"
    );
    delete(queue, &second).await?;
    is_empty(queue).await
}

async fn an_extended_lease_hides_for_longer(queue: &dyn Queue) -> Result<()> {
    send_one(queue).await?;
    let first = receive_one(queue, SHORT).await?;
    let start = Instant::now();
    ensure!(
        queue.extend(&first.receipt, SHORT * 2).await? == Lease::Held,
        "a lease that has not ended is reported as lost"
    );
    let second = receive_one(queue, LONG).await?;
    ensure!(start.elapsed() + MOMENT >= SHORT * 2, "delivered again after {:?}", start.elapsed());
    delete(queue, &second).await?;
    is_empty(queue).await
}

async fn a_message_can_be_given_back(queue: &dyn Queue) -> Result<()> {
    send_one(queue).await?;
    let first = receive_one(queue, LONG).await?;
    let start = Instant::now();
    ensure!(
        queue.extend(&first.receipt, Duration::ZERO).await? == Lease::Held,
        "a lease that has not ended is reported as lost"
    );
    let second = receive_one(queue, LONG).await?;
    ensure!(start.elapsed() < LONG / 2, "delivered again only after {:?}", start.elapsed());
    delete(queue, &second).await?;
    is_empty(queue).await
}

async fn a_lost_lease_is_reported(queue: &dyn Queue) -> Result<()> {
    send_one(queue).await?;
    let first = receive_one(queue, SHORT).await?;
    sleep(SHORT + MOMENT).await;
    queue.extend(&first.receipt, Duration::ZERO).await.context("extend a lease that has ended")?;
    let second = receive_one(queue, LONG).await?;
    delete(queue, &second).await?;
    ensure!(
        queue.extend(&second.receipt, LONG).await? == Lease::Lost,
        "the lease of a deleted message is not reported as lost"
    );
    is_empty(queue).await
}

async fn deleting_again_does_no_harm(queue: &dyn Queue) -> Result<()> {
    queue.send(&[new("one", &[]), new("two", &[])]).await?;
    let one = receive_one(queue, LONG).await?;
    let two = receive_one(queue, LONG).await?;
    delete(queue, &one).await?;
    queue.delete(&[one.receipt, two.receipt]).await.context("delete a deleted message and another one")?;
    is_empty(queue).await
}

async fn a_receive_waits_for_the_first_message(queue: &dyn Queue) -> Result<()> {
    let late = async {
        sleep(MOMENT).await;
        send_one(queue).await
    };
    let start = Instant::now();
    let (message, sent) = tokio::join!(receive_one(queue, LONG), late);
    sent?;
    ensure!(start.elapsed() < MOMENT + SHORT, "received only after {:?}", start.elapsed());
    delete(queue, &message?).await
}

/// The queue has a message, but it is leased. The receive must wait long enough that polling in a loop costs little.
async fn an_empty_receive_is_no_error(queue: &dyn Queue) -> Result<()> {
    send_one(queue).await?;
    let leased = receive_one(queue, LONG).await?;
    let start = Instant::now();
    ensure!(queue.receive(BATCH, LONG).await?.is_empty(), "received a leased message");
    ensure!(start.elapsed() >= SHORT, "the receive waited only {:?}", start.elapsed());
    delete(queue, &leased).await?;
    is_empty(queue).await
}
