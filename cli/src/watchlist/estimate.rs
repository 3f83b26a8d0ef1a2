//! What a watchlist costs: credits, minutes, days.

use std::collections::BTreeMap;

use candlewick_ingest::plan::MOST_CANDLES;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::watchlist::{History, Watchlist};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

/// What a key of the API may ask for. Prices and limits change: <https://twelvedata.com/pricing> has those of today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Its name.
    pub name: &'static str,
    /// Credits a minute.
    pub per_minute: u64,
    /// Credits a day, where it says a number.
    pub per_day: Option<u64>,
}

/// The plans, from the smallest: their limits as of July 2026.
pub const PLANS: [Plan; 4] = [
    Plan { name: "basic", per_minute: 8, per_day: Some(800) },
    Plan { name: "grow", per_minute: 377, per_day: None },
    Plan { name: "pro", per_minute: 1597, per_day: None },
    Plan { name: "ultra", per_minute: 10_946, per_day: None },
];

/// What the series of an interval need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Need {
    /// How many series there are.
    pub series: u64,
    /// Credits for one refresh, once all are there: one request a series, and each costs one.
    pub refresh_credits: u64,
    /// Credits for their whole history.
    pub first_fill_credits: u64,
}

/// How long credits take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Time {
    /// The credits.
    pub credits: u64,
    /// Minutes, while the plan's credits of the day last.
    pub minutes: u64,
    /// Days on which something is asked for.
    pub days: u64,
}

/// What the series of each interval need.
#[must_use]
pub fn needs(watchlist: &Watchlist, today: Date) -> BTreeMap<Interval, Need> {
    let mut needs: BTreeMap<Interval, Need> = BTreeMap::new();
    for (_, instrument) in watchlist.instruments() {
        for interval in &instrument.intervals {
            let need = needs.entry(*interval).or_default();
            need.series += 1;
            need.refresh_credits += 1;
            need.first_fill_credits += requests(*interval, instrument.history, today);
        }
    }
    needs
}

/// How many requests a whole history takes: one for days and longer; for the shorter, as many a month as keep each answer
/// within what the API gives.
fn requests(interval: Interval, history: History, today: Date) -> u64 {
    let Some(seconds) = interval.seconds() else { return 1 };
    let days = (MOST_CANDLES * seconds / 86_400).clamp(1, 31).unsigned_abs();
    let first = history.first_date(today).first_of_month();
    let months = std::iter::successors(Some(first), |month| month.checked_add(1.month()).ok());
    let a_month = |month: Date| u64::from(month.days_in_month().unsigned_abs()).div_ceil(days);
    months.take_while(|month| *month <= today).map(a_month).sum()
}

impl Plan {
    /// How long credits take with this plan.
    #[must_use]
    pub fn time(&self, credits: u64) -> Time {
        let minutes = credits.div_ceil(self.per_minute);
        let by_minutes = minutes.div_ceil(24 * 60);
        let days = self.per_day.map_or(by_minutes, |day| credits.div_ceil(day).max(by_minutes));
        Time { credits, minutes, days }
    }

    /// Whether a refresh every day is within it.
    #[must_use]
    pub fn is_enough(&self, refresh_credits: u64) -> bool {
        self.time(refresh_credits).days <= 1
    }
}

/// The smallest plan that is enough for a refresh every day; none where even the largest is not.
#[must_use]
pub fn smallest(refresh_credits: u64) -> Option<Plan> {
    PLANS.into_iter().find(|plan| plan.is_enough(refresh_credits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs_of(text: &str) -> BTreeMap<Interval, Need> {
        needs(&text.parse().unwrap(), "2024-12-30".parse().unwrap())
    }

    #[test]
    fn days_are_one_request_and_minutes_many() {
        let needs = needs_of(
            "[groups.a]\nsymbols = [\"A\", \"B\"]\nintervals = [\"1day\", \"1h\", \"1min\"]\nhistory = 1\n[instruments.B]\nintervals = [\"1day\"]",
        );
        let need = |interval: Interval| &needs[&interval];
        let of = |series, refresh_credits, first_fill_credits| Need { series, refresh_credits, first_fill_credits };
        assert_eq!(*need(Interval::Day1), of(2, 2, 2));
        assert_eq!(*need(Interval::Hour1), of(1, 1, 13), "December to December");
        assert_eq!(
            *need(Interval::Min1),
            of(1, 1, 8 * 11 + 5 * 10),
            "three days a request; 13 months, of which 8 have 31 days"
        );
    }

    #[test]
    fn the_plan_says_how_long_it_takes() {
        let basic = &PLANS[0];
        assert_eq!(basic.time(10), Time { credits: 10, minutes: 2, days: 1 });
        assert_eq!(basic.time(800), Time { credits: 800, minutes: 100, days: 1 });
        assert_eq!(basic.time(801), Time { credits: 801, minutes: 101, days: 2 });
        let grow = &PLANS[1];
        assert_eq!(grow.time(377 * 1440), Time { credits: 542_880, minutes: 1440, days: 1 });
        assert_eq!(grow.time(377 * 1440 + 1).days, 2);
    }

    #[test]
    fn the_smallest_plan_that_is_enough_is_found() {
        let name = |credits| smallest(credits).map(|plan| plan.name);
        assert_eq!(
            [name(800), name(801), name(542_881), name(16_000_000)],
            [Some("basic"), Some("grow"), Some("pro"), None]
        );
    }
}
