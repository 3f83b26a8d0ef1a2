//! The service's own schedule: what it sends, when, and how often.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use candlewick_ingest::refresh::cron::Cron;
use candlewick_ingest::refresh::schedule::Schedule;
use candlewick_shared::adapters::memory_queue::MemoryQueue;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::run::{Run, RunKind};
use candlewick_shared::ports::queue::Queue;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::book::Book;

/// A schedule, its queue and its book, on the paused clock of the test's runtime.
struct Rig {
    queue: Arc<MemoryQueue>,
    book: Arc<Book>,
    /// What the clock shows when the test begins.
    start: Timestamp,
    began: Instant,
    stop: CancellationToken,
    sent: Mutex<Vec<String>>,
}

impl Rig {
    fn at(start: &str) -> Self {
        let queue = Arc::default();
        let book = Arc::default();
        let sent = Mutex::default();
        Self { queue, book, start: start.parse().unwrap(), began: Instant::now(), stop: CancellationToken::new(), sent }
    }

    fn note(&self, id: &str, requested_at: &str, is_whole: bool) {
        let requested_at = requested_at.parse().unwrap();
        self.book.note(Run { id: id.to_owned(), kind: RunKind::Manual, requested_at, is_whole });
    }

    /// Starts a service that is due at half past five in New York, every day.
    fn start(&self) -> tokio::task::JoinHandle<()> {
        let start = self.start;
        let began = self.began;
        let now = move || start.checked_add(SignedDuration::try_from(began.elapsed()).unwrap()).unwrap();
        let cron = Cron {
            schedule: Schedule::new("30 17 * * *", "America/New_York").unwrap(),
            queue: Arc::clone(&self.queue) as Arc<dyn Queue>,
            runs: self.book.clone(),
            now: Arc::new(now),
            clock: Clock::Real,
        };
        tokio::spawn(cron.run(self.stop.clone()))
    }

    /// Lets time pass, and returns what was sent meanwhile.
    async fn pass(&self, hours: u64) -> Vec<String> {
        let until = Instant::now() + Duration::from_secs(hours * 3600);
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_secs(300)).await;
            while self.queue.depth().await.unwrap().waiting > 0 {
                for message in self.queue.receive(10, Duration::from_secs(43_200)).await.unwrap() {
                    self.queue.delete(&[message.receipt]).await.unwrap();
                    self.sent.lock().unwrap().push(message.body);
                }
            }
        }
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

const DUE: &str = r#"{"kind":"refresh","scheduled":"2024-12-30T22:30:00Z"}"#;

#[tokio::test(start_paused = true)]
async fn it_sends_what_a_schedule_in_the_cloud_sends_every_day_at_its_time() {
    let rig = Rig::at("2024-12-30T22:00:00Z");
    let cron = rig.start();
    assert_eq!(rig.pass(24).await, [DUE]);
    assert_eq!(rig.pass(24).await, [r#"{"kind":"refresh","scheduled":"2024-12-31T22:30:00Z"}"#]);
    rig.stop.cancel();
    cron.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_days_of_downtime_it_catches_up_once() {
    let rig = Rig::at("2024-12-30T12:00:00Z");
    rig.note("old", "2024-12-20T22:30:00Z", true);
    rig.note("some symbols only", "2024-12-30T11:00:00Z", false);
    rig.start();
    let late = r#"{"kind":"refresh","scheduled":"2024-12-29T22:30:00Z","catch_up":true,"fetched_before":"2024-12-29T22:30:00Z"}"#;
    assert_eq!(rig.pass(24).await, [late, DUE]);
}

#[tokio::test(start_paused = true)]
async fn what_was_refreshed_since_it_was_due_is_not_caught_up() {
    let rig = Rig::at("2024-12-30T12:00:00Z");
    rig.note("by hand", "2024-12-30T01:00:00Z", true);
    rig.start();
    assert_eq!(rig.pass(8).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_book_without_a_run_has_missed_nothing() {
    let rig = Rig::at("2024-12-30T12:00:00Z");
    rig.start();
    assert_eq!(rig.pass(8).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_a_book_that_is_away() {
    let rig = Rig::at("2024-12-30T12:00:00Z");
    rig.note("old", "2024-12-20T22:30:00Z", true);
    rig.book.set_down(true);
    rig.start();
    assert_eq!(rig.pass(1).await, [""; 0]);
    rig.book.set_down(false);
    assert_eq!(rig.pass(1).await.len(), 1);
}
