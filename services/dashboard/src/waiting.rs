//! Long polls: an answer that is held back until what the caller waits for has happened, or the time is over.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::live::{Change, Event, Hub};
use crate::problem::Problem;

/// The longest wait, shorter than the idle timeouts of common proxies.
const LONGEST: Duration = Duration::from_secs(55);

/// The least time between two reads of one caller. A run of thousands of series changes more often than that.
const PACE: Duration = Duration::from_millis(100);

/// How long to wait, such as `30s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Wait(pub Duration);

/// The text is not a time to wait.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{said:?} is not a time to wait: write it like 30s, at most {most}s", said = .0, most = LONGEST.as_secs())]
pub struct BadWait(String);

impl FromStr for Wait {
    type Err = BadWait;

    fn from_str(text: &str) -> Result<Self, BadWait> {
        let span = text.parse::<SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
        let span = span.filter(|span| *span <= LONGEST);
        span.map(Self).ok_or_else(|| BadWait(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Wait {
    type Error = BadWait;

    fn try_from(text: String) -> Result<Self, BadWait> {
        text.parse()
    }
}

/// Reads until the answer is complete, again at each change that concerns it, and also after `at_least` if that is given:
/// some changes have no notice. When the time is over or the dashboard stops, it returns what was read last.
///
/// It listens before it reads, so that no change between the two is missed.
pub async fn until<T, F: Future<Output = Result<T, Problem>>>(
    hub: &Hub,
    concerns: impl Fn(&Change) -> bool,
    wait: Wait,
    at_least: Option<Duration>,
    read: impl Fn() -> F,
    is_complete: impl Fn(&T) -> bool,
) -> Result<T, Problem> {
    let (_, mut changes) = hub.subscribe(None);
    let end = Instant::now() + wait.0;
    loop {
        let begun = Instant::now();
        let answer = read().await?;
        if is_complete(&answer) || begun >= end {
            return Ok(answer);
        }
        let again = at_least.map_or(end, |pause| (begun + pause).min(end));
        let changed = async {
            let _ = timeout_at(again, next_change(&mut changes, &concerns)).await;
            sleep_until((begun + PACE).min(end)).await;
        };
        if hub.stop.run_until_cancelled(changed).await.is_none() {
            return Ok(answer);
        }
    }
}

/// Whether a change is one of a run, or of one that the notice does not name.
pub fn of_run(run: &str) -> impl Fn(&Change) -> bool {
    move |change| matches!(change, Change::Run { run: changed } if changed.as_deref().is_none_or(|changed| changed == run))
}

/// Waits for a change that concerns the answer, or until notices may be missing.
async fn next_change(changes: &mut Receiver<Event>, concerns: impl Fn(&Change) -> bool) {
    loop {
        match changes.recv().await {
            Ok(Event { change: Change::Resync {}, .. }) | Err(RecvError::Lagged(_)) => return,
            Ok(Event { change, .. }) if concerns(&change) => return,
            Ok(_) => {}
            // The dashboard is stopping.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::places::Places;

    fn hub() -> Hub {
        Hub::new(Places::new(1, 1), CancellationToken::new())
    }

    fn change_of(run: &str) -> Change {
        Change::Run { run: Some(run.to_owned()) }
    }

    /// Counts its reads, and is complete with the given one.
    async fn poll(hub: &Hub, wait: &str, complete: usize) -> usize {
        let reads = AtomicUsize::new(0);
        let read = || async { Ok(reads.fetch_add(1, Ordering::Relaxed) + 1) };
        until(hub, of_run("mine"), wait.parse().unwrap(), None, read, |count| *count >= complete).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_of_the_run_ends_the_wait_and_one_of_another_does_not() {
        let hub = hub();
        let begun = Instant::now();
        let publish = async {
            for (at, run) in [(5, "another"), (10, "mine")] {
                sleep_until(begun + Duration::from_secs(at)).await;
                hub.publish(change_of(run));
            }
        };
        let (reads, ()) = tokio::join!(poll(&hub, "30s", 2), publish);
        assert_eq!((reads, begun.elapsed().as_secs()), (2, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_connection_to_the_database_makes_it_look_again() {
        let hub = hub();
        let publish = async {
            tokio::task::yield_now().await;
            hub.publish(Change::Resync {});
        };
        let (reads, ()) = tokio::join!(poll(&hub, "30s", 2), publish);
        assert_eq!(reads, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_changes_is_not_a_flood_of_reads() {
        let hub = hub();
        let publish = async {
            for _ in 0..1_000 {
                hub.publish(change_of("mine"));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let (reads, ()) = tokio::join!(poll(&hub, "2s", usize::MAX), publish);
        assert!(reads <= 21, "{reads}");
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_in_time_and_when_the_dashboard_stops() {
        let hub = hub();
        let begun = Instant::now();
        poll(&hub, "30s", usize::MAX).await;
        assert_eq!(begun.elapsed().as_secs(), 30);
        assert_eq!(poll(&hub, "0s", usize::MAX).await, 1);
        hub.stop.cancel();
        poll(&hub, "30s", usize::MAX).await;
        assert_eq!(begun.elapsed().as_secs(), 30);
    }

    #[test]
    fn only_a_bounded_time_is_waited_for() {
        assert_eq!("30s".parse(), Ok(Wait(Duration::from_secs(30))));
        assert_eq!("500ms".parse(), Ok(Wait(Duration::from_millis(500))));
        for text in ["", "30", "-1s", "56s", "1h", "for ever", "99999999999999999999s"] {
            let error = text.parse::<Wait>().unwrap_err().to_string();
            assert!(error.contains("30s") && error.contains("55s"), "{error}");
        }
    }
}
