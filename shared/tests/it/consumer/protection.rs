//! Scale-in protection while messages are in flight.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_shared::ports::protection::{Protection, ProtectionError};
use candlewick_shared::runtime::outcome::Settled;
use tokio::time::sleep;

use super::support::Rig;

/// An agent that records the requests it gets, and can refuse them.
#[derive(Default)]
struct Agent {
    asked: Mutex<Vec<Option<Duration>>>,
    refuses: bool,
}

#[async_trait]
impl Protection for Agent {
    async fn protect(&self, length: Option<Duration>) -> Result<(), ProtectionError> {
        self.asked.lock().unwrap().push(length);
        if self.refuses { Err(ProtectionError("not today".to_owned())) } else { Ok(()) }
    }
}

async fn work_for(agent: &Arc<Agent>, lengths: &[u64]) {
    let mut rig = Rig::new(1);
    rig.protection = Some(agent.clone());
    let running = rig.start(|delivery| async move {
        sleep(Duration::from_secs(delivery.body.parse().unwrap())).await;
        Ok(Settled::Done)
    });
    for length in lengths {
        rig.send(&[&length.to_string()]).await;
        sleep(Duration::from_secs(length + 5)).await;
    }
    sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.left(), Vec::<String>::new());
    rig.stop(running).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_for_while_busy_and_taken_back_once_after_a_burst() {
    let agent = Arc::new(Agent::default());
    work_for(&agent, &[1, 1, 1]).await;
    assert_eq!(*agent.asked.lock().unwrap(), [Some(Duration::from_secs(600)), None]);
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_before_it_ends() {
    let agent = Arc::new(Agent::default());
    work_for(&agent, &[800]).await;
    let asked = agent.asked.lock().unwrap();
    assert!(asked.len() >= 4 && asked[..asked.len() - 1].iter().all(Option::is_some), "{asked:?}");
    assert_eq!(asked.last(), Some(&None));
}

#[tokio::test(start_paused = true)]
async fn work_goes_on_where_it_is_refused() {
    work_for(&Arc::new(Agent { refuses: true, ..Agent::default() }), &[5]).await;
}
