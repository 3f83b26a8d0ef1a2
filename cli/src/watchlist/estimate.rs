//! Estimates what a watchlist costs in credits, minutes and days.

use std::collections::BTreeMap;

use candlewick_ingest::fetch::plan::{self, MOST_CANDLES, Window};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::{History, Watchlist};
use jiff::Timestamp;
use serde::Serialize;

/// The longest opening hours of a market that closes: nine hours on each weekday of a month.
const OPEN_SECONDS_A_DAY: u64 = 9 * 3600;
const OPEN_DAYS_A_MONTH: u64 = 23;

/// A plan of the API. The limits change: <https://twelvedata.com/pricing> has the current ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub name: &'static str,
    /// Credits per minute.
    pub per_minute: u64,
    /// Credits per day, if the plan limits them.
    pub per_day: Option<u64>,
}

/// The plans in ascending order, with their limits of July 2026.
pub const PLANS: [Plan; 4] = [
    Plan { name: "basic", per_minute: 8, per_day: Some(800) },
    Plan { name: "grow", per_minute: 377, per_day: None },
    Plan { name: "pro", per_minute: 1597, per_day: None },
    Plan { name: "ultra", per_minute: 10_946, per_day: None },
];

/// The needs of all series of an interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Need {
    pub series: u64,
    /// Credits for one refresh on most days, after the first fill: an intraday series needs one answer, and a daily
    /// series one per 5000 candles. In the first two days of a month, intraday series also need the previous month.
    pub refresh_credits: u64,
    /// The most credits for the full history. Months before the first candle of the API are not requested.
    pub first_fill_credits: u64,
}

/// How long it takes to spend credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Time {
    pub credits: u64,
    /// Minutes of requests, without the wait for the next day's credits.
    pub minutes: u64,
    /// Days with requests.
    pub days: u64,
}

/// The needs by interval.
pub fn needs(watchlist: &Watchlist, now: Timestamp) -> BTreeMap<Interval, Need> {
    let mut needs: BTreeMap<Interval, Need> = BTreeMap::new();
    for (symbol, instrument) in watchlist.instruments() {
        for interval in &instrument.intervals {
            let need = needs.entry(*interval).or_default();
            need.series += 1;
            let first_fill = first_fill(symbol, *interval, instrument.history, now);
            // Each refresh fetches the full history of daily and longer candles.
            need.refresh_credits += if interval.is_intraday() { 1 } else { first_fill };
            need.first_fill_credits += first_fill;
        }
    }
    needs
}

/// The number of requests for a full history: one per answer for daily and longer candles; for intraday candles the
/// answers of each month, and one request to find the beginning.
fn first_fill(symbol: &Symbol, interval: Interval, history: History, now: Timestamp) -> u64 {
    let history = plan::history(interval, history, now);
    if !interval.is_intraday() {
        return answers(days(history));
    }
    let months = plan::months(history, None).into_iter().map(|month| plan::whole(month, history));
    months.map(|month| answers(slots(symbol, interval, month))).sum::<u64>() + 1
}

/// The most intraday candles of a month. Currency pairs, whose symbols contain a slash, are traded around the clock.
fn slots(symbol: &Symbol, interval: Interval, month: Window) -> u64 {
    let length = interval.seconds().map_or(1, i64::unsigned_abs);
    if symbol.as_str().contains('/') {
        return (days(month) * 86_400).div_ceil(length);
    }
    days(month).min(OPEN_DAYS_A_MONTH) * OPEN_SECONDS_A_DAY.div_ceil(length)
}

fn days(window: Window) -> u64 {
    u64::from((window.until - window.from).get_days().unsigned_abs())
}

fn answers(candles: u64) -> u64 {
    candles.div_ceil(MOST_CANDLES as u64).max(1)
}

impl Plan {
    /// How long this plan takes to spend the credits.
    pub fn time(&self, credits: u64) -> Time {
        let minutes = credits.div_ceil(self.per_minute);
        let by_minutes = minutes.div_ceil(24 * 60);
        let days = self.per_day.map_or(by_minutes, |day| credits.div_ceil(day).max(by_minutes));
        Time { credits, minutes, days }
    }

    /// Whether the plan allows a refresh every day.
    pub fn is_enough(&self, refresh_credits: u64) -> bool {
        self.time(refresh_credits).days <= 1
    }
}

/// The smallest plan that allows a refresh every day, if any does.
pub fn smallest(refresh_credits: u64) -> Option<Plan> {
    PLANS.into_iter().find(|plan| plan.is_enough(refresh_credits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs_of(text: &str) -> BTreeMap<Interval, Need> {
        needs(&text.parse().unwrap(), "2024-12-30T22:00:00Z".parse().unwrap())
    }

    fn of(series: u64, refresh_credits: u64, first_fill_credits: u64) -> Need {
        Need { series, refresh_credits, first_fill_credits }
    }

    #[test]
    fn days_are_one_request_and_minutes_many() {
        let needs = needs_of(
            "[groups.a]\nsymbols = [\"A\", \"B\"]\nintervals = [\"1day\", \"1h\", \"1min\"]\nhistory = 1\n[instruments.B]\nintervals = [\"1day\"]",
        );
        let need = |interval: Interval| &needs[&interval];
        assert_eq!(*need(Interval::Day1), of(2, 2, 2));
        assert_eq!(*need(Interval::Hour1), of(1, 1, 1 + 13), "December to December, and one to find the beginning");
        assert_eq!(*need(Interval::Min1), of(1, 1, 1 + 3 * 13), "at most three answers per month");
    }

    #[test]
    fn a_pair_is_traded_around_the_clock_and_many_years_of_days_are_more_than_one_answer() {
        let needs = needs_of(
            "[groups.a]\nsymbols = [\"A/B\"]\nintervals = [\"1min\", \"1day\"]\nhistory = \"2024-12-01\"\n[groups.b]\nsymbols = [\"C\"]\nhistory = 20",
        );
        assert_eq!(needs[&Interval::Min1], of(1, 1, 1 + 9), "44 640 minutes");
        assert_eq!(needs[&Interval::Day1], of(2, 1 + 2, 1 + 2), "7307 days in two answers, each day");
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
