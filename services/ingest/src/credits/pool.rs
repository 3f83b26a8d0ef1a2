//! Hands out credits to all workers of the service: nobody sends a request without one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use candlewick_shared::core::clock::Clock;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::notifier::{Alert, Kind, Notifier};
use candlewick_shared::runtime::measures;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::credits::budget::{Account, Budget, Closed, Period, Plan, Told};
use crate::fetch::answer::ApiError;

/// Keeps the budget. Its clones keep the same one.
#[derive(Clone)]
pub struct CreditPool(Arc<Shared>);

struct Shared {
    budget: Mutex<Budget>,
    /// Somebody gave a credit back, or waits no more.
    changed: Notify,
    now: Now,
    clock: Clock,
    notifier: Arc<dyn Notifier>,
    /// What the owner has heard of the day's credits.
    heard: Mutex<Heard>,
    /// When the API was last asked for its limits.
    asked_at: Mutex<Option<Timestamp>>,
}

/// What the owner has heard of the day's credits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Heard {
    /// Nobody here knows: a process before this one may have told that they are used up.
    #[default]
    Unknown,
    /// That they are used up until then.
    Gone(Timestamp),
    /// That they are there.
    There,
}

/// A credit to spend on one request. What is dropped before it was sent is given back.
pub struct Credit {
    pool: CreditPool,
    sent_at: Option<Timestamp>,
    told: Option<Told>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CreditPool {
    /// Keeps an untouched budget within the owner's limits, by this time: `clock` says how fast `now` goes.
    pub fn new(plan: Plan, now: Now, clock: Clock, notifier: Arc<dyn Notifier>) -> Self {
        let budget = Mutex::new(Budget::new(plan));
        let changed = Notify::new();
        Self(Arc::new(Shared {
            budget,
            changed,
            now,
            clock,
            notifier,
            heard: Mutex::default(),
            asked_at: Mutex::default(),
        }))
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        lock(&self.0.budget)
    }

    /// How long the machine must wait for a time to come.
    pub fn wait_for(&self, time: Timestamp) -> Duration {
        self.0.clock.lasts(time.duration_since((self.0.now)()))
    }

    /// How long the machine must wait after an error of the API for credits to come back.
    pub fn wait_after(&self, error: &ApiError) -> Duration {
        let now = (self.0.now)();
        exhausted(error).map(|period| self.wait_for(period.next(now))).unwrap_or_default()
    }

    /// What the owner allows and the API has.
    pub fn plan(&self) -> Plan {
        self.budget().plan()
    }

    /// Waits until at least one message may be received, and returns how many, up to `most`.
    pub async fn room(&self, most: usize) -> usize {
        loop {
            let changed = self.0.changed.notified();
            // The budget is let go of before anybody is told anything.
            let free = self.budget().free(most, (self.0.now)());
            let closed = match free {
                Ok(room) => {
                    self.tell_of_return().await;
                    return room;
                }
                Err(closed) => closed,
            };
            self.tell_of(closed).await;
            tracing::debug!("no credits: nothing is received before {}", closed.until);
            let _ = timeout(self.wait_for(closed.until), changed).await;
        }
    }

    /// A credit, if there is one now.
    pub fn try_take(&self) -> Result<Credit, Closed> {
        self.budget().reserve((self.0.now)())?;
        Ok(Credit { pool: self.clone(), sent_at: None, told: None })
    }

    /// A credit, for whoever has a message in hand and has begun with it: waits for the next minute where it must.
    pub async fn take(&self) -> Result<Credit, Closed> {
        let _waiting = Waiting::new(self);
        loop {
            let changed = self.0.changed.notified();
            match self.try_take() {
                Err(closed) if closed.period == Period::Minute => {
                    let _ = timeout(self.wait_for(closed.until), changed).await;
                }
                taken => return taken,
            }
        }
    }

    /// Whether the API is still to be asked for its limits; once a minute it is worth another try.
    pub fn is_to_ask(&self) -> bool {
        const AGAIN: i64 = 60;
        let now = (self.0.now)();
        let mut asked_at = lock(&self.0.asked_at);
        let is_due = asked_at.is_none_or(|asked| now.duration_since(asked).as_secs() >= AGAIN);
        let is_to_ask = is_due && !self.budget().is_known();
        *asked_at = asked_at.filter(|_| !is_to_ask).or(Some(now));
        is_to_ask
    }

    /// Takes in what the API says of the account.
    pub fn reconcile(&self, account: Account) {
        self.budget().reconcile(account, (self.0.now)());
        self.measure();
        self.0.changed.notify_waiters();
    }

    /// Takes in that the API refused a request for want of credits.
    pub fn refused(&self, error: &ApiError) {
        let Some(period) = exhausted(error) else { return };
        self.budget().exhausted(period, (self.0.now)());
        self.measure();
    }

    /// Shows how many credits are left, where there is a limit.
    fn measure(&self) {
        let now = (self.0.now)();
        let mut budget = self.budget();
        for (of, period) in [("minute", Period::Minute), ("day", Period::Day)] {
            if let Some(left) = budget.unspent(period, now) {
                measures::credits_left(of, f64::from(left));
            }
        }
    }

    /// Tells the owner that the day's credits are used up, once a day.
    async fn tell_of(&self, closed: Closed) {
        let gone = Heard::Gone(closed.until);
        if closed.period == Period::Day && self.hears(gone) != gone {
            let text = format!(
                "the credits of this day are used up: nothing is fetched before {}, and then it goes on by itself \
                 (fewer symbols, fewer intervals or a larger plan need less)",
                closed.until
            );
            self.0.notifier.notify(credits_gone(&text)).await;
        }
    }

    /// Tells the owner that there are credits again: also the first time, because who told that there are none may have been
    /// stopped since.
    async fn tell_of_return(&self) {
        if self.hears(Heard::There) != Heard::There {
            self.0.notifier.notify(credits_gone("there are credits again").resolved()).await;
        }
    }

    /// Notes what the owner hears, and returns what they heard before.
    fn hears(&self, now: Heard) -> Heard {
        std::mem::replace(&mut *lock(&self.0.heard), now)
    }
}

fn credits_gone(text: &str) -> Alert {
    Alert::new(Kind::CreditsGone, "TwelveData", text)
}

/// Whose credits an error says are used up.
fn exhausted(error: &ApiError) -> Option<Period> {
    match error {
        ApiError::MinuteCredits(_) => Some(Period::Minute),
        ApiError::DayCredits(_) => Some(Period::Day),
        _ => None,
    }
}

impl Credit {
    /// The request is on its way: from now on the credit counts as spent, whatever becomes of the answer.
    pub fn send(&mut self) {
        self.sent_at = Some((self.pool.0.now)());
    }

    /// The request reached nobody, and was not charged.
    pub fn never_arrived(&mut self) {
        self.sent_at = None;
    }

    /// What the answer said of the minute.
    pub fn told(&mut self, told: Option<Told>) {
        self.told = told;
    }

    /// What became of the request, where that concerns the budget.
    pub fn ended(self, error: Option<&ApiError>) {
        if let Some(error) = error {
            self.pool.refused(error);
        }
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        match self.sent_at {
            None => self.pool.budget().release(),
            Some(sent_at) => {
                self.pool.budget().spent(sent_at, (self.pool.0.now)(), self.told);
                self.pool.measure();
            }
        }
        self.pool.0.changed.notify_waiters();
    }
}

/// Somebody with a message in hand, for as long as this lives.
struct Waiting<'a>(&'a CreditPool);

impl<'a> Waiting<'a> {
    fn new(pool: &'a CreditPool) -> Self {
        pool.budget().begin_waiting();
        Self(pool)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.budget().end_waiting();
        self.0.0.changed.notify_waiters();
    }
}
