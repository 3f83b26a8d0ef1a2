//! How many credits may be spent now, and if none, from when on: limits, what was spent and the time in, a decision out.
//!
//! The API counts the credits of each wall-clock minute and, on the free plan, of each day; a day is taken to end at midnight
//! UTC. Source: its plans of July 2026, and the words of its errors.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// How long after its beginning a minute or a day is used by those who waited for it, because clocks differ.
const MARGIN: SignedDuration = SignedDuration::from_secs(1);

/// What may be spent. A limit that is missing is not known, or does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Credits in a minute.
    pub per_minute: Option<u32>,
    /// Credits in a day.
    pub per_day: Option<u32>,
}

impl Plan {
    /// The plan of whoever pays nothing, and of whoever is not known to pay.
    pub const FREE: Self = Self { per_minute: Some(8), per_day: Some(800) };

    /// The tighter of two limits, each.
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

/// What credits are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A wall-clock minute.
    Minute,
    /// A day in UTC.
    Day,
}

impl Period {
    /// When the credits of the next one are there.
    pub fn next(self, now: Timestamp) -> Timestamp {
        let seconds = match self {
            Self::Minute => MINUTE,
            Self::Day => DAY,
        };
        let next = Timestamp::from_second((number(now, seconds) + 1) * seconds);
        next.and_then(|next| next.checked_add(MARGIN)).unwrap_or(now)
    }
}

/// There is no credit to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Whose credits are used up.
    pub period: Period,
    /// When there are credits again.
    pub until: Timestamp,
}

/// What the API says of the minute with each answer (`api-credits-used`, `api-credits-left`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Used in this minute, by whomever.
    pub used: u32,
    /// Left in this minute.
    pub left: u32,
}

/// What the API says of the account (`/api_usage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its limits; none for the day where the plan has none.
    pub plan: Plan,
    /// Used in this minute.
    pub used: u32,
    /// Used on this day.
    pub used_today: u32,
}

/// The credits of an account, as far as they are known here.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// The owner's limits.
    set: Plan,
    /// The API's limits.
    told: Plan,
    /// Whether the API was asked for its limits, and answered.
    is_known: bool,
    /// Reserved, and not known to be spent.
    held: u32,
    /// How many wait for a credit with a message in hand.
    waiting: u32,
    minute: Tally,
    day: Tally,
}

/// The credits of one minute or day.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    number: i64,
    own: u32,
    others: u32,
    is_over: bool,
}

impl Budget {
    /// An untouched budget within the owner's limits.
    pub fn new(set: Plan) -> Self {
        Self { set, ..Self::default() }
    }

    /// What may be spent: no more than the owner allows, nor than the API has. While neither is known it is the free plan.
    pub fn plan(&self) -> Plan {
        let known = self.set.and(self.told);
        let is_said = self.is_known || self.set != Plan::default();
        let cautious = if is_said { Plan::default() } else { Plan::FREE };
        Plan { per_minute: known.per_minute.or(cautious.per_minute), per_day: known.per_day.or(cautious.per_day) }
    }

    /// Whether the API has told its limits.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// How many messages may be received now, `most` at the most: a credit is there for each, beyond those that are waited
    /// for with a message in hand.
    pub fn free(&mut self, most: usize, now: Timestamp) -> Result<usize, Closed> {
        let waiting = self.waiting;
        let left = self.left(now).and_then(|left| left.checked_sub(waiting).filter(|left| *left > 0));
        left.map(|left| most.min(left as usize)).ok_or_else(|| self.closed(now))
    }

    /// Reserves a credit.
    pub fn reserve(&mut self, now: Timestamp) -> Result<(), Closed> {
        let Some(_) = self.left(now) else { return Err(self.closed(now)) };
        self.held += 1;
        Ok(())
    }

    /// Gives a reserved credit back.
    pub fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
    }

    /// Somebody with a message in hand begins to wait for a credit.
    pub fn begin_waiting(&mut self) {
        self.waiting += 1;
    }

    /// Somebody with a message in hand waits no more.
    pub fn end_waiting(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// A reserved credit was spent on a request of `sent_at`, whose answer told this. What a minute's end crossed says
    /// nothing about the new minute.
    pub fn spent(&mut self, sent_at: Timestamp, now: Timestamp, told: Option<Told>) {
        self.release();
        self.turn_to(now);
        if number(sent_at, DAY) == self.day.number {
            self.day.own += 1;
        }
        if number(sent_at, MINUTE) != self.minute.number {
            return;
        }
        self.minute.own += 1;
        if let Some(told) = told {
            self.minute.observe(told.used, self.held);
            self.minute.is_over |= told.left == 0;
            self.told.per_minute =
                Some(told.used.saturating_add(told.left)).filter(|_| told.left > 0).or(self.told.per_minute);
        }
    }

    /// The API says that a period's credits are used up, whatever was counted here.
    pub fn exhausted(&mut self, period: Period, now: Timestamp) {
        self.turn_to(now);
        match period {
            Period::Minute => self.minute.is_over = true,
            Period::Day => self.day.is_over = true,
        }
    }

    /// The API tells its limits and what was spent, by this process before it was started again or by others.
    pub fn reconcile(&mut self, account: Account, now: Timestamp) {
        self.turn_to(now);
        (self.is_known, self.told) = (true, account.plan);
        self.minute.observe(account.used, self.held);
        self.day.observe(account.used_today, self.held);
    }

    /// How many credits of a period are not spent, held ones among them; none where it has no limit.
    pub fn unspent(&mut self, period: Period, now: Timestamp) -> Option<u32> {
        self.turn_to(now);
        let plan = self.plan();
        match period {
            Period::Minute => plan.per_minute.map(|limit| self.minute.left(Some(limit), 0)),
            Period::Day => plan.per_day.map(|limit| self.day.left(Some(limit), 0)),
        }
    }

    /// The credits left now; none where there is not one.
    fn left(&mut self, now: Timestamp) -> Option<u32> {
        self.turn_to(now);
        let plan = self.plan();
        let left = self.minute.left(plan.per_minute, self.held).min(self.day.left(plan.per_day, self.held));
        Some(left).filter(|left| *left > 0)
    }

    fn closed(&self, now: Timestamp) -> Closed {
        // Credits that are only held come back: a day is over when they cannot help.
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

    fn left(&self, limit: Option<u32>, held: u32) -> u32 {
        match limit {
            _ if self.is_over => 0,
            Some(limit) => limit.saturating_sub(self.own).saturating_sub(self.others).saturating_sub(held),
            None => u32::MAX,
        }
    }

    /// What was used beyond anything that was asked from here was used by others. Requests under way may be in it or not.
    fn observe(&mut self, used: u32, held: u32) {
        self.others = self.others.max(used.saturating_sub(self.own).saturating_sub(held));
    }
}

fn number(time: Timestamp, seconds: i64) -> i64 {
    time.as_second().div_euclid(seconds)
}

#[cfg(test)]
mod tests;
