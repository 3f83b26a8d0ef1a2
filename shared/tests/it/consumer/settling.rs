//! What happens to a message after each outcome.

use std::time::Duration;

use anyhow::anyhow;
use candlewick_shared::core::alert::{Kind, State};
use candlewick_shared::ports::queue::{Depth, Queue};
use candlewick_shared::runtime::outcome::{Failure, Setback, Settled};
use tokio::time::{Instant, sleep};

use super::support::{Asked, Count, Rig, eventually};

#[tokio::test(start_paused = true)]
async fn what_is_done_or_superseded_is_deleted() {
    let rig = Rig::new(4);
    rig.send(&["done", "superseded"]).await;
    let running = rig.start(|delivery| async move {
        if delivery.body == "done" { Ok(Settled::Done) } else { Ok(Settled::Superseded("newer".to_owned())) }
    });
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(rig.dead.inner.bodies(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_can_never_succeed_is_moved_to_the_dead_letters_with_the_reason_and_only_then_deleted() {
    let rig = Rig::new(4);
    rig.send(&["broken"]).await;
    let trace = "0af7651916cd43dd8448eb211c80319c".to_owned();
    let running = rig.start(move |_| {
        let failure = Failure::new("unreadable_object", "line 3, column high: no\tnumber").traced(Some(trace.clone()));
        async { Err(failure.into()) }
    });
    rig.until_empty().await;
    rig.stop(running).await;
    let letters = rig.dead.inner.messages();
    let attributes: Vec<_> = letters[0].attributes.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let expected = [
        ("attempts", "1"),
        ("class", "unreadable_object"),
        ("message-id", "1"),
        ("reason", "line 3, column high: no number"),
        ("stage", "test"),
        ("trace-id", "0af7651916cd43dd8448eb211c80319c"),
    ];
    assert_eq!((letters.len(), letters[0].body.as_str(), attributes.as_slice()), (1, "broken", &expected[..]));
    assert_eq!(rig.moves(), ["dead", "queue"], "sent, then deleted");
    let heard = rig.heard.0.lock().unwrap();
    assert_eq!(heard.iter().filter(|alert| alert.state == State::Firing).count(), 1, "the owner hears of it once");
}

#[tokio::test(start_paused = true)]
async fn a_message_stays_while_it_cannot_be_moved_to_the_dead_letters() {
    let rig = Rig::new(4);
    rig.dead.break_down("send");
    rig.send(&["broken"]).await;
    let running = rig.start(|_| async { Err(Failure::new("bad", "why").into()) });
    sleep(Duration::from_secs(3600)).await;
    let heard: Vec<_> = rig.heard.0.lock().unwrap().iter().map(|alert| (alert.kind, alert.state)).collect();
    assert!(rig.left().len() == 1 && heard.contains(&(Kind::Outage, State::Firing)), "{heard:?}");
    assert!(heard.iter().all(|(kind, _)| *kind == Kind::Outage), "it is not buried yet: {heard:?}");
    assert!(rig.asked("dead").len() < 30, "it is not tried in a hot loop: {}", rig.asked("dead").len());
    rig.dead.mend();
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(rig.dead.inner.bodies(), ["broken"]);
    let heard = rig.heard.0.lock().unwrap();
    let of_outage: Vec<_> = heard.iter().filter(|alert| alert.subject == "test dead letters").collect();
    let texts =
        [of_outage.first(), of_outage.last()].map(|alert| alert.map(|alert| (alert.state, alert.text.as_str())));
    let [Some((State::Firing, begun)), Some((State::Resolved, _))] = texts else { panic!("{texts:?}") };
    assert!(begun.contains("moves nothing to its dead-letter queue") && begun.contains("broken"), "{begun}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_comes_again_later_and_later_and_is_given_up_in_the_end() {
    let rig = Rig::new(4);
    rig.send(&["flaky"]).await;
    let running = rig.start(|_| async { Err(anyhow!("no luck").context("do the work").into()) });
    rig.until_empty().await;
    rig.stop(running).await;
    let waits: Vec<_> = rig.asked("queue").into_iter().filter_map(given_back).collect();
    assert_eq!(waits.len(), 5, "six attempts, with five waits between");
    for (wait, ceiling) in waits.into_iter().zip([2, 4, 8, 16, 32].map(Duration::from_secs)) {
        assert!(wait >= ceiling / 2 && wait <= ceiling, "{wait:?} of {ceiling:?}");
    }
    let letter = rig.dead.inner.messages().remove(0);
    assert_eq!((letter.attributes["class"].as_str(), letter.attributes["attempts"].as_str()), ("gave_up", "6"));
    assert!(letter.attributes["reason"].contains("do the work: no luck"), "{}", letter.attributes["reason"]);
}

fn given_back(asked: Asked) -> Option<Duration> {
    if let Asked::SendAfter(wait) = asked { Some(wait) } else { None }
}

#[tokio::test(start_paused = true)]
async fn what_came_too_early_waits_however_often_and_that_is_no_failure() {
    let rig = Rig::new(1);
    let calls = Count::default();
    let start = Instant::now();
    rig.send(&["early"]).await;
    let running = rig.start(move |_| {
        let call = calls.add();
        async move {
            match call {
                ..=50 => Err(Setback::Later { wait: Duration::from_secs(60), reason: "no credit".to_owned() }),
                51..=55 => Err(Setback::Retry(anyhow!("no luck"))),
                _ => Ok(Settled::Done),
            }
        }
    });
    rig.until_empty().await;
    assert!(start.elapsed() >= Duration::from_secs(50 * 60));
    rig.stop(running).await;
    assert_eq!(rig.dead.inner.bodies(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_wait_stays_within_what_a_lease_may_last() {
    let rig = Rig::new(1);
    rig.send(&["tomorrow"]).await;
    let wait = Duration::from_secs(86_400);
    let running = rig.start(move |_| async move { Err(Setback::Later { wait, reason: "no credit".to_owned() }) });
    let hidden = || {
        let of = |asked| if let Asked::Extend(wait) = asked { Some(wait) } else { None };
        rig.asked("queue").into_iter().filter_map(of).max()
    };
    eventually("it is given back", || hidden().is_some()).await;
    rig.stop(running).await;
    let longest = hidden().unwrap();
    assert!(longest > Duration::from_secs(10 * 3600) && longest < Duration::from_secs(12 * 3600), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_its_own_message_one_attempt_and_nobody_else_anything() {
    let rig = Rig::new(1);
    rig.send(&["panic", "fine"]).await;
    let running = rig.start(|delivery| async move {
        assert_ne!(delivery.body, "panic", "as the test wants it");
        Ok(Settled::Done)
    });
    rig.until_empty().await;
    rig.stop(running).await;
    let letter = rig.dead.inner.messages().remove(0);
    assert_eq!((letter.body.as_str(), letter.attributes["class"].as_str()), ("panic", "gave_up"));
    assert!(letter.attributes["reason"].contains("as the test wants it"), "{letter:?}");
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_done_together_are_deleted_together() {
    let rig = Rig::new(10);
    rig.send_many(25).await;
    let running = rig.start(|_| async { Ok(Settled::Done) });
    rig.until_empty().await;
    rig.stop(running).await;
    let deleted: Vec<_> = rig.asked("queue").into_iter().filter(|asked| matches!(asked, Asked::Delete(_))).collect();
    assert!(deleted.len() <= 4, "{deleted:?}");
    assert!(deleted.iter().all(|asked| matches!(asked, Asked::Delete(1..=10))), "{deleted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_could_not_be_deleted_is_deleted_at_the_next_try() {
    let rig = Rig::new(4);
    let calls = Count::default();
    rig.queue.break_down("delete");
    rig.send(&["done"]).await;
    let counted = calls.clone();
    let running = rig.start(move |_| {
        counted.add();
        async { Ok(Settled::Done) }
    });
    eventually("a deletion fails", || rig.asked("queue").contains(&Asked::Delete(1))).await;
    rig.queue.mend();
    rig.until_empty().await;
    rig.stop(running).await;
    assert_eq!(calls.get(), 1, "the work was not done again");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_can_never_be_deleted_comes_again_and_holds_up_nobody() {
    let rig = Rig::new(1);
    rig.queue.break_down("delete");
    rig.send_many(3).await;
    let calls = Count::default();
    let counted = calls.clone();
    let running = rig.start(move |_| {
        counted.add();
        async { Ok(Settled::Done) }
    });
    eventually("each was done twice", || calls.get() >= 6).await;
    rig.stop(running).await;
    assert_eq!(rig.queue.inner.depth().await.unwrap(), Depth { in_flight: 3, ..Depth::default() });
}
