//! Hands out credits to all workers of the service. No request is sent without one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use candlewick_shared::adapters::postgres_credits::DayCredits;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::notifier::{Alert, Kind, Notifier};
use candlewick_shared::runtime::measures;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::credits::budget::{Account, Budget, Closed, MinuteUsage, Period, Plan};
use crate::fetch::answer::ApiError;

/// A budget that clones share.
#[derive(Clone)]
pub struct CreditPool(Arc<Shared>);

struct Shared {
    budget: Mutex<Budget>,
    /// Notified when a credit is returned or a message stops waiting for one.
    changed: Notify,
    now: Now,
    clock: Clock,
    notifier: Arc<dyn Notifier>,
    day_alert: Mutex<DayAlert>,
    /// When the limits were last requested from the API.
    limits_requested_at: Mutex<Option<Timestamp>>,
}

/// The state of the alert about the day's credits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum DayAlert {
    /// An earlier process may have raised it.
    #[default]
    Unknown,
    /// Raised for the day that ends at this time.
    Raised(Timestamp),
    Resolved,
}

/// A reserved credit for one request. It returns to the pool if it is dropped before the request was sent.
pub struct Credit {
    pool: CreditPool,
    sent_at: Option<Timestamp>,
    usage: Option<MinuteUsage>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CreditPool {
    /// `clock` says how fast the time of `now` passes.
    pub fn new(plan: Plan, now: Now, clock: Clock, notifier: Arc<dyn Notifier>) -> Self {
        let budget = Mutex::new(Budget::new(plan));
        let changed = Notify::new();
        Self(Arc::new(Shared {
            budget,
            changed,
            now,
            clock,
            notifier,
            day_alert: Mutex::default(),
            limits_requested_at: Mutex::default(),
        }))
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        lock(&self.0.budget)
    }

    /// The wall-clock time until `time`.
    pub fn wait_for(&self, time: Timestamp) -> Duration {
        self.0.clock.lasts(time.duration_since((self.0.now)()))
    }

    /// The wall-clock time until there are credits again after an error of the API; zero for errors that are not about credits.
    pub fn wait_after(&self, error: &ApiError) -> Duration {
        let now = (self.0.now)();
        exhausted(error).map(|period| self.wait_for(period.next(now))).unwrap_or_default()
    }

    /// The limits that apply now.
    pub fn plan(&self) -> Plan {
        self.budget().plan()
    }

    /// The credits of today, and the limits that apply to them.
    pub fn today(&self) -> DayCredits {
        let now = (self.0.now)();
        let mut budget = self.budget();
        let Plan { per_day, per_minute } = budget.plan();
        DayCredits { day: now.to_zoned(TimeZone::UTC).date(), used: budget.used_today(now), per_day, per_minute }
    }

    /// Waits until credits are spent or returned, or the limits become known.
    pub fn changed(&self) -> impl Future<Output = ()> + use<'_> {
        self.0.changed.notified()
    }

    /// Waits until at least one message may be received, and returns how many, up to `most`.
    pub async fn room(&self, most: usize) -> usize {
        loop {
            let changed = self.0.changed.notified();
            // A separate statement, so that the budget is unlocked before the alert is sent.
            let receivable = self.budget().receivable(most, (self.0.now)());
            let closed = match receivable {
                Ok(room) => {
                    self.resolve_day_alert().await;
                    return room;
                }
                Err(closed) => closed,
            };
            self.raise_day_alert(closed).await;
            tracing::debug!("out of credits: receiving nothing before {}", closed.until);
            let _ = timeout(self.wait_for(closed.until), changed).await;
        }
    }

    /// Takes a credit if there is one now.
    pub fn try_take(&self) -> Result<Credit, Closed> {
        self.budget().reserve((self.0.now)())?;
        Ok(Credit { pool: self.clone(), sent_at: None, usage: None })
    }

    /// Takes a credit for a message in progress, and waits for the next minute if necessary. Fails if the day is used up.
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

    /// Whether to request the limits from the API now: they are unknown, and were not requested within the last minute.
    pub fn needs_limits(&self) -> bool {
        const RETRY_SECONDS: i64 = 60;
        let now = (self.0.now)();
        let mut requested_at = lock(&self.0.limits_requested_at);
        let is_due = requested_at.is_none_or(|requested| now.duration_since(requested).as_secs() >= RETRY_SECONDS);
        let needs_limits = is_due && !self.budget().is_known();
        *requested_at = requested_at.filter(|_| !needs_limits).or(Some(now));
        needs_limits
    }

    /// Takes over the limits and usage that the API reports.
    pub fn reconcile(&self, account: Account) {
        self.budget().reconcile(account, (self.0.now)());
        self.measure();
        self.0.changed.notify_waiters();
    }

    /// Records the error of a request if it says that credits are used up.
    pub fn record_refusal(&self, error: &ApiError) {
        let Some(period) = exhausted(error) else { return };
        self.budget().exhausted(period, (self.0.now)());
        self.measure();
    }

    /// Sets the metrics of the credits left in periods that have a limit.
    fn measure(&self) {
        let now = (self.0.now)();
        let mut budget = self.budget();
        for (of, period) in [("minute", Period::Minute), ("day", Period::Day)] {
            if let Some(left) = budget.unspent(period, now) {
                measures::credits_left(of, f64::from(left));
            }
        }
    }

    /// Raises an alert if the day's credits are used up, once a day.
    async fn raise_day_alert(&self, closed: Closed) {
        let raised = DayAlert::Raised(closed.until);
        if closed.period == Period::Day && self.replace_day_alert(raised) != raised {
            let text = format!(
                "the credits of this day are used up: fetching resumes by itself at {} (fewer symbols, fewer intervals or a \
                 larger plan would avoid this)",
                closed.until
            );
            self.0.notifier.notify(credits_gone(&text)).await;
        }
    }

    /// Resolves the alert, also when this process did not raise it: an earlier one may have.
    async fn resolve_day_alert(&self) {
        if self.replace_day_alert(DayAlert::Resolved) != DayAlert::Resolved {
            self.0.notifier.notify(credits_gone("credits are available again").resolved()).await;
        }
    }

    fn replace_day_alert(&self, new: DayAlert) -> DayAlert {
        std::mem::replace(&mut *lock(&self.0.day_alert), new)
    }
}

fn credits_gone(text: &str) -> Alert {
    Alert::new(Kind::CreditsGone, "TwelveData", text)
}

/// The period whose credits are used up according to an error.
fn exhausted(error: &ApiError) -> Option<Period> {
    match error {
        ApiError::MinuteCredits(_) => Some(Period::Minute),
        ApiError::DayCredits(_) => Some(Period::Day),
        _ => None,
    }
}

impl Credit {
    /// Marks the request as sent. From now on the credit counts as spent, whatever the outcome.
    pub fn mark_sent(&mut self) {
        self.sent_at = Some((self.pool.0.now)());
    }

    /// Marks the request as not sent: it did not reach the API and was not charged.
    pub fn mark_unsent(&mut self) {
        self.sent_at = None;
    }

    /// Sets what the answer reported about the minute.
    pub fn set_usage(&mut self, usage: Option<MinuteUsage>) {
        self.usage = usage;
    }

    /// Ends the request, and records its error if that concerns the budget.
    pub fn finish(self, error: Option<&ApiError>) {
        if let Some(error) = error {
            self.pool.record_refusal(error);
        }
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        match self.sent_at {
            None => self.pool.budget().release(),
            Some(sent_at) => {
                self.pool.budget().spend(sent_at, (self.pool.0.now)(), self.usage);
                self.pool.measure();
            }
        }
        self.pool.0.changed.notify_waiters();
    }
}

/// Counts a message in progress as waiting until it is dropped.
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
