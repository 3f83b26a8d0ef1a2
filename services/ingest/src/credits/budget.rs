//! Decides how many credits may be spent now and, if there are none, when there will be.
//!
//! The API counts credits per wall-clock minute and, on the free plan, per day. A day is assumed to end at midnight UTC.
//! Source: the published plans of July 2026, and the texts of the API's errors.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// How long to wait after the start of a minute or day before spending its credits, because clocks differ.
const MARGIN: SignedDuration = SignedDuration::from_secs(1);

/// The limits of a plan. `None` means unlimited or unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub per_minute: Option<u32>,
    pub per_day: Option<u32>,
}

impl Plan {
    /// The free plan, which is also assumed until the limits are known.
    pub const FREE: Self = Self { per_minute: Some(8), per_day: Some(800) };

    /// The tighter of both limits, per minute and per day.
    pub fn and(self, other: Self) -> Self {
        let tighter = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
        Self { per_minute: tighter(self.per_minute, other.per_minute), per_day: tighter(self.per_day, other.per_day) }
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let paid = |per_minute| Ok(Self { per_minute: Some(per_minute), per_day: None });
        match name {
            "free" | "basic" => Ok(Self::FREE),
            "grow" => paid(377),
            "pro" => paid(1597),
            "ultra" => paid(10_946),
            _ => Err("expected free, grow, pro or ultra".to_owned()),
        }
    }
}

/// A span for which credits are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    Minute,
    /// In UTC.
    Day,
}

impl Period {
    /// When the credits of the next minute or day can be spent.
    pub fn next(self, now: Timestamp) -> Timestamp {
        let seconds = match self {
            Self::Minute => MINUTE,
            Self::Day => DAY,
        };
        let next = Timestamp::from_second((number(now, seconds) + 1) * seconds);
        next.and_then(|next| next.checked_add(MARGIN)).unwrap_or(now)
    }
}

/// No credit can be spent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    pub period: Period,
    /// When credits will be available again.
    pub until: Timestamp,
}

/// The current minute according to the headers of an answer (`api-credits-used`, `api-credits-left`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteUsage {
    /// Includes credits that other clients of the same account used.
    pub used: u32,
    pub left: u32,
}

/// The account according to `/api_usage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// `per_day` is `None` if the plan has no daily limit.
    pub plan: Plan,
    /// In the current minute.
    pub used: u32,
    pub used_today: u32,
}

/// The credits of an account, as counted here and as reported by the API.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// The owner's limits.
    configured: Plan,
    /// The API's limits.
    reported: Plan,
    /// Whether the API has reported its limits.
    is_known: bool,
    /// Credits that are reserved and not spent yet.
    reserved: u32,
    /// How many messages that are already being handled wait for a credit.
    waiting: u32,
    minute: Tally,
    day: Tally,
}

/// The credits of one minute or day.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Minutes or days since 1970.
    number: i64,
    own: u32,
    others: u32,
    is_exhausted: bool,
}

impl Budget {
    pub fn new(configured: Plan) -> Self {
        Self { configured, ..Self::default() }
    }

    /// The limits that apply: the tighter of the owner's and the API's. While neither is known, those of the free plan.
    pub fn plan(&self) -> Plan {
        let known = self.configured.and(self.reported);
        let has_limits = self.is_known || self.configured != Plan::default();
        let cautious = if has_limits { Plan::default() } else { Plan::FREE };
        Plan { per_minute: known.per_minute.or(cautious.per_minute), per_day: known.per_day.or(cautious.per_day) }
    }

    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// How many messages may be received now, up to `most`. Credits that messages in progress wait for are not counted.
    pub fn receivable(&mut self, most: usize, now: Timestamp) -> Result<usize, Closed> {
        let waiting = self.waiting;
        let left = self.left(now).and_then(|left| left.checked_sub(waiting).filter(|left| *left > 0));
        left.map(|left| most.min(left as usize)).ok_or_else(|| self.closed(now))
    }

    pub fn reserve(&mut self, now: Timestamp) -> Result<(), Closed> {
        let Some(_) = self.left(now) else { return Err(self.closed(now)) };
        self.reserved += 1;
        Ok(())
    }

    /// Returns a reserved credit that was not spent.
    pub fn release(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// Counts a message in progress that waits for a credit.
    pub fn begin_waiting(&mut self) {
        self.waiting += 1;
    }

    pub fn end_waiting(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// Records that a reserved credit was spent on a request sent at `sent_at`, and what its answer reported. An answer that
    /// arrived after the end of its minute says nothing about the new minute.
    pub fn spend(&mut self, sent_at: Timestamp, now: Timestamp, usage: Option<MinuteUsage>) {
        self.release();
        self.turn_to(now);
        if number(sent_at, DAY) == self.day.number {
            self.day.own += 1;
        }
        if number(sent_at, MINUTE) != self.minute.number {
            return;
        }
        self.minute.own += 1;
        if let Some(usage) = usage {
            self.minute.observe(usage.used, self.reserved);
            self.minute.is_exhausted |= usage.left == 0;
            let limit = Some(usage.used.saturating_add(usage.left)).filter(|_| usage.left > 0);
            self.reported.per_minute = limit.or(self.reported.per_minute);
        }
    }

    /// Records that the API refused a request because the credits of a period are used up, whatever was counted here.
    pub fn exhausted(&mut self, period: Period, now: Timestamp) {
        self.turn_to(now);
        match period {
            Period::Minute => self.minute.is_exhausted = true,
            Period::Day => self.day.is_exhausted = true,
        }
    }

    /// Takes over the limits and usage that the API reports, including what earlier processes and other clients spent.
    pub fn reconcile(&mut self, account: Account, now: Timestamp) {
        self.turn_to(now);
        self.is_known = true;
        self.reported = account.plan;
        self.minute.observe(account.used, self.reserved);
        self.day.observe(account.used_today, self.reserved);
    }

    /// How many credits of a period are unspent, including reserved ones; `None` if the period has no limit.
    pub fn unspent(&mut self, period: Period, now: Timestamp) -> Option<u32> {
        self.turn_to(now);
        let plan = self.plan();
        match period {
            Period::Minute => plan.per_minute.map(|limit| self.minute.left(Some(limit), 0)),
            Period::Day => plan.per_day.map(|limit| self.day.left(Some(limit), 0)),
        }
    }

    /// How many credits were spent today, also by others.
    pub fn used_today(&mut self, now: Timestamp) -> u32 {
        self.turn_to(now);
        self.day.own.saturating_add(self.day.others)
    }

    /// The credits left now; `None` instead of 0.
    fn left(&mut self, now: Timestamp) -> Option<u32> {
        self.turn_to(now);
        let plan = self.plan();
        let left = self.minute.left(plan.per_minute, self.reserved).min(self.day.left(plan.per_day, self.reserved));
        Some(left).filter(|left| *left > 0)
    }

    fn closed(&self, now: Timestamp) -> Closed {
        // Reserved credits may be released, so the day counts as used up only if it would be without them.
        let is_day = self.day.left(self.plan().per_day, 0) == 0;
        let period = if is_day { Period::Day } else { Period::Minute };
        Closed { period, until: period.next(now) }
    }

    fn turn_to(&mut self, now: Timestamp) {
        self.minute.turn_to(number(now, MINUTE));
        self.day.turn_to(number(now, DAY));
    }
}

impl Tally {
    fn turn_to(&mut self, number: i64) {
        if self.number != number {
            *self = Self { number, ..Self::default() };
        }
    }

    fn left(&self, limit: Option<u32>, reserved: u32) -> u32 {
        match limit {
            _ if self.is_exhausted => 0,
            Some(limit) => limit.saturating_sub(self.own).saturating_sub(self.others).saturating_sub(reserved),
            None => u32::MAX,
        }
    }

    /// Attributes to other clients what was used beyond our own requests. Requests in flight may or may not be counted in
    /// `used`, so they are assumed to be.
    fn observe(&mut self, used: u32, reserved: u32) {
        self.others = self.others.max(used.saturating_sub(self.own).saturating_sub(reserved));
    }
}

fn number(time: Timestamp, seconds: i64) -> i64 {
    time.as_second().div_euclid(seconds)
}

#[cfg(test)]
mod tests;
