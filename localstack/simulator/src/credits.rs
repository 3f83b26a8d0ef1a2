//! The credits of the account: a budget per wall-clock minute and one per UTC day.

use std::str::FromStr;

use jiff::Timestamp;

use crate::api::error::ApiError;

/// The limits of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name that `/api_usage` returns.
    pub category: String,
    /// Credits per minute.
    pub per_minute: u32,
    /// Credits per UTC day; `None` if the plan has no daily limit.
    pub per_day: Option<u32>,
}

/// The credits that are used in the current minute and day.
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

/// The usage of the account after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Credits used in this minute (header `api-credits-used`).
    pub used: u32,
    /// Credits left in this minute (header `api-credits-left`).
    pub left: u32,
    /// Credits used on this UTC day.
    pub used_today: u32,
}

impl Plan {
    /// Returns a plan with a limit that is never reached, because the API always reports a limit per minute.
    pub fn unlimited() -> Self {
        Self { category: "unlimited".into(), per_minute: u32::MAX, per_day: None }
    }
}

impl FromStr for Plan {
    type Err = String;

    /// Parses the name of a plan. The limits are those of July 2026; paid plans have no daily limit.
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
    /// Creates an unused budget.
    pub fn new(plan: Plan) -> Self {
        Self { plan, minute: Tally::default(), day: Tally::default() }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Spends credits at `now`. Refused credits also count as used, because messages of the live API show usage above
    /// the limit. Credits that exceed the minute's limit are not charged to the day.
    pub fn spend(&mut self, credits: u32, now: Timestamp) -> Result<(), ApiError> {
        self.advance_to(now);
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

    /// Returns the usage of the account at `now`.
    pub fn usage(&mut self, now: Timestamp) -> Usage {
        self.advance_to(now);
        let used = self.minute.used;
        Usage { used, left: self.plan.per_minute.saturating_sub(used), used_today: self.day.used }
    }

    fn advance_to(&mut self, now: Timestamp) {
        self.minute.advance_to(now.as_second().div_euclid(60));
        self.day.advance_to(now.as_second().div_euclid(86_400));
    }
}

impl Tally {
    /// Resets the count if a new period has begun.
    fn advance_to(&mut self, period: i64) {
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
