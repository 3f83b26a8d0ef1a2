//! The account's credits: a budget for each wall-clock minute and one for each UTC day.

use std::str::FromStr;

use jiff::Timestamp;

use crate::api::error::ApiError;

/// What a plan allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name that `/api_usage` gives.
    pub category: String,
    /// Credits in a minute.
    pub per_minute: u32,
    /// Credits in a day; `None` where the plan has no such limit.
    pub per_day: Option<u32>,
}

/// The credits used so far.
#[derive(Clone, Debug)]
pub struct Budget {
    plan: Plan,
    minute: Tally,
    day: Tally,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    period: i64,
    used: u32,
}

/// The state of the account after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Used in this minute (`api-credits-used`).
    pub used: u32,
    /// Left in this minute (`api-credits-left`).
    pub left: u32,
    /// Used on this day.
    pub used_today: u32,
}

impl Plan {
    /// A limit that nobody reaches, in place of none: the API always tells a limit for the minute.
    pub fn unlimited() -> Self {
        Self { category: "unlimited".into(), per_minute: u32::MAX, per_day: None }
    }
}

impl FromStr for Plan {
    type Err = String;

    /// The plans with their budgets of July 2026. Paid ones have no limit for the day.
    fn from_str(name: &str) -> Result<Self, String> {
        let (category, per_minute, per_day) = match name {
            "free" => ("basic", 8, Some(800)),
            "grow" => ("grow", 377, None),
            "pro" => ("pro", 1597, None),
            "unlimited" => return Ok(Self::unlimited()),
            _ => return Err("expected free, grow, pro or unlimited".into()),
        };
        Ok(Self { category: category.into(), per_minute, per_day })
    }
}

impl Budget {
    /// The untouched budget of a plan.
    pub fn new(plan: Plan) -> Self {
        Self { plan, minute: Tally::default(), day: Tally::default() }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Spends credits at `now`. What is refused counts as used too: the messages of the live API show more used than
    /// the limit. A request that the minute refuses is not charged to the day.
    pub fn spend(&mut self, credits: u32, now: Timestamp) -> Result<(), ApiError> {
        self.turn_to(now);
        if let Some(limit) = self.plan.per_day {
            let wanted = self.day.used.saturating_add(credits);
            if wanted > limit {
                self.day.used = wanted;
                return Err(ApiError::day_exhausted(wanted, limit));
            }
        }
        self.minute.used = self.minute.used.saturating_add(credits);
        if self.minute.used > self.plan.per_minute {
            return Err(ApiError::minute_exhausted(self.minute.used, self.plan.per_minute));
        }
        self.day.used = self.day.used.saturating_add(credits);
        Ok(())
    }

    /// The state of the account at `now`.
    pub fn usage(&mut self, now: Timestamp) -> Usage {
        self.turn_to(now);
        let used = self.minute.used;
        Usage { used, left: self.plan.per_minute.saturating_sub(used), used_today: self.day.used }
    }

    fn turn_to(&mut self, now: Timestamp) {
        self.minute.turn_to(now.as_second().div_euclid(60));
        self.day.turn_to(now.as_second().div_euclid(86_400));
    }
}

impl Tally {
    fn turn_to(&mut self, period: i64) {
        if self.period != period {
            *self = Self { period, used: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_minute_has_its_credits_and_the_next_has_them_again() {
        let mut budget = Budget::new("free".parse().unwrap());
        budget.spend(8, second(60)).unwrap();
        let refused = budget.spend(2, second(119)).unwrap_err();
        assert_eq!(refused, ApiError::minute_exhausted(10, 8));
        budget.spend(1, second(120)).unwrap();
        assert_eq!(budget.usage(second(120)), Usage { used: 1, left: 7, used_today: 9 });
    }

    #[test]
    fn a_day_has_its_credits_and_the_next_has_them_again() {
        let mut budget = Budget::new(Plan { per_day: Some(3), ..Plan::unlimited() });
        budget.spend(3, second(0)).unwrap();
        assert_eq!(budget.spend(1, second(86_399)).unwrap_err(), ApiError::day_exhausted(4, 3));
        budget.spend(3, second(86_400)).unwrap();
    }
}
