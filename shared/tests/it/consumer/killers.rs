//! Messages that repeatedly cost their consumer its lease or its life.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use candlewick_shared::runtime::outcome::{Setback, Settled};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::support::{Count, LEASE, Rig, eventually};

/// Work that kills its process: the worker that started it never answers again, and its whole consumer is dropped.
#[derive(Clone, Default)]
struct Deaths {
    begun: Count,
    together: Arc<Mutex<Vec<usize>>>,
}

/// Runs consumers one after another. Each is dropped when it starts a message `killer`.
async fn run_until_it_is_buried(rig: &mut Rig, deaths: &Deaths) -> JoinHandle<()> {
    loop {
        let before = deaths.begun.get();
        let counts = deaths.clone();
        let in_process = Count::default();
        let running = rig.start(move |delivery| {
            let deaths = counts.clone();
            let in_process = in_process.clone();
            async move {
                let together = in_process.add();
                if delivery.body == "killer" {
                    deaths.together.lock().unwrap().push(together);
                    deaths.begun.add();
                    std::future::pending::<()>().await;
                }
                sleep(Duration::from_secs(1)).await;
                in_process.remove();
                Ok(Settled::Done)
            }
        });
        eventually("a death or a letter", || deaths.begun.get() > before || !rig.dead.inner.bodies().is_empty()).await;
        if deaths.begun.get() == before {
            return running;
        }
        // The process dies: its work in progress ends without telling the queue.
        running.abort();
        let _ = running.await;
        rig.kill();
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_kills_its_consumer_is_buried_after_three_and_nothing_beside_it_is() {
    let mut rig = Rig::new(6);
    let deaths = Deaths::default();
    rig.send(&["a", "b", "killer", "c", "d", "e"]).await;
    let running = run_until_it_is_buried(&mut rig, &deaths).await;
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(rig.dead.inner.bodies(), ["killer"]);
    assert_eq!(rig.dead.inner.messages()[0].attributes["class"], "kills_its_consumer");
    let together = deaths.together.lock().unwrap().clone();
    assert_eq!((together.len(), together[2]), (3, 1), "it was alone the last time: {together:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_costs_its_lease_each_time_is_buried() {
    let rig = Rig::new(2);
    rig.send(&["frozen"]).await;
    let begun = Count::default();
    let counted = begun.clone();
    let running = rig.start(move |delivery| {
        let begun = counted.clone();
        async move {
            assert_eq!(delivery.body, "frozen");
            begun.add();
            // The whole process is suspended for longer than its leases last.
            tokio::time::advance(LEASE * 2).await;
            std::future::pending().await
        }
    });
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!((rig.dead.inner.bodies(), begun.get()), (vec!["frozen".to_owned()], 3));
    assert_eq!(rig.dead.inner.messages()[0].attributes["class"], "kills_its_consumer");
}

/// An outage, and then a new process, which cannot know how often the message was returned.
#[tokio::test(start_paused = true)]
async fn a_message_that_met_an_outage_before_a_restart_is_no_killer() {
    let mut rig = Rig::new(2);
    rig.send(&["a", "b"]).await;
    let runs = Arc::new(AtomicU32::new(0));
    for _ in 0..4 {
        let running = rig.start(|_| async { Err(Setback::Down(anyhow::anyhow!("refused"))) });
        sleep(Duration::from_secs(900)).await;
        rig.stop(running).await;
        rig.restart();
    }
    let counted = Arc::clone(&runs);
    let running = rig.start(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(Settled::Done) }
    });
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!((rig.dead.inner.bodies().len(), runs.load(Ordering::SeqCst)), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_lost_once_is_given_up_after_as_many_failures_as_any_other() {
    let rig = Rig::new(2);
    rig.send(&["bad"]).await;
    let lost = rig.queue.inner_receive().await;
    drop(lost);
    let tries = Count::default();
    let counted = tries.clone();
    let running = rig.start(move |_| {
        counted.add();
        async { Err(Setback::Retry(anyhow::anyhow!("no luck"))) }
    });
    rig.until_empty().await;
    rig.stop(running).await;
    let letter = rig.dead.inner.messages().remove(0);
    assert_eq!((tries.get(), letter.attributes["class"].as_str()), (6, "gave_up"));
    assert!(!letter.attributes.contains_key("consumers-lost"), "{letter:?}");
}

#[tokio::test(start_paused = true)]
async fn leases_that_the_queue_does_not_extend_are_no_fault_of_their_messages() {
    let rig = Rig::new(2);
    rig.send(&["a", "b"]).await;
    rig.queue.break_down("extend");
    let running = rig.start(|_| async {
        sleep(LEASE * 2).await;
        Ok(Settled::Done)
    });
    sleep(LEASE * 20).await;
    rig.queue.mend();
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(rig.dead.inner.bodies(), Vec::<String>::new());
}

/// Two consumers of one queue during an outage: neither knows what the other returned.
#[tokio::test(start_paused = true)]
async fn an_outage_that_two_consumers_meet_makes_no_killer() {
    let rig = Rig::new(2);
    rig.send_many(20).await;
    let is_down = Arc::new(AtomicU32::new(1));
    let done = Count::default();
    let work = || {
        let is_down = Arc::clone(&is_down);
        let done = done.clone();
        move |_| {
            let outcome = if is_down.load(Ordering::SeqCst) == 1 {
                Err(Setback::Down(anyhow::anyhow!("refused")))
            } else {
                done.add();
                Ok(Settled::Done)
            };
            async { outcome }
        }
    };
    let running = [rig.start(work()), rig.start(work())];
    sleep(Duration::from_secs(7200)).await;
    is_down.store(0, Ordering::SeqCst);
    rig.until_empty().await;
    for running in running {
        rig.stop(running).await;
    }
    assert_eq!((rig.dead.inner.bodies(), done.get()), (Vec::new(), 20));
}

/// Runs a consumer until its queue is empty, and checks that nothing was given up.
async fn expect_all_done(rig: &Rig) {
    let running = rig.start(|_| async { Ok(Settled::Done) });
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(rig.dead.inner.bodies(), Vec::<String>::new());
}

/// Looking into a queue receives its messages, which counts as a delivery.
#[tokio::test(start_paused = true)]
async fn a_message_that_others_received_often_is_no_killer() {
    let rig = Rig::new(2);
    rig.send(&["looked at"]).await;
    for _ in 0..12 {
        rig.queue.inner_receive().await;
        sleep(Duration::from_secs(2)).await;
    }
    expect_all_done(&rig).await;
}

/// The queue delivers a message, but its response is lost.
#[tokio::test(start_paused = true)]
async fn deliveries_that_were_lost_on_their_way_make_no_killer() {
    let rig = Rig::new(2);
    rig.send_many(5).await;
    rig.queue.break_down("answer");
    let running = rig.start(|_| async { Ok(Settled::Done) });
    sleep(LEASE * 6).await;
    rig.queue.mend();
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(rig.dead.inner.bodies(), Vec::<String>::new());
}

/// On a queue that accepts messages but deletes none, returning messages would double them each time.
#[tokio::test(start_paused = true)]
async fn messages_do_not_multiply_where_nothing_can_be_deleted() {
    let rig = Rig::new(2);
    rig.send(&["a", "b"]).await;
    rig.queue.break_down("delete");
    let running = rig.start(|_| async { Err(Setback::Down(anyhow::anyhow!("refused"))) });
    sleep(Duration::from_secs(7200)).await;
    assert!(rig.left().len() <= 4, "{} messages", rig.left().len());
    rig.stop(running).await;
}
