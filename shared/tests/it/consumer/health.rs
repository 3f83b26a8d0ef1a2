//! The health of a running consumer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use candlewick_shared::runtime::outcome::{Setback, Settled};
use tokio::time::timeout;

use super::support::{Rig, eventually};

#[tokio::test(start_paused = true)]
async fn it_is_ready_while_it_receives_and_what_it_needs_answers() {
    let rig = Rig::new(2);
    let down = Arc::new(AtomicBool::new(true));
    let health = rig.health.clone();
    let work = Arc::clone(&down);
    assert!(!health.readiness().0, "nothing runs yet");
    let running = rig.start(move |_| {
        let is_down = work.load(Ordering::SeqCst);
        async move { if is_down { Err(Setback::Down(anyhow!("refused"))) } else { Ok(Settled::Done) } }
    });
    eventually("ready", || health.readiness().0).await;

    rig.queue.break_down("receive");
    eventually("without a queue", || health.readiness().1 == "test: waiting: the queue does not answer\n").await;
    rig.queue.mend();
    eventually("ready again", || health.readiness().0).await;

    rig.send(&["one"]).await;
    eventually("an outage", || health.readiness().1.starts_with("test: waiting: a dependency is down: ")).await;
    down.store(false, Ordering::SeqCst);
    eventually("ready after the outage", || health.readiness().0).await;

    rig.stop.cancel();
    timeout(Duration::from_secs(60), running).await.expect("it stops").unwrap();
    assert_eq!(health.readiness(), (false, "test: stopping\n".to_owned()));
}
