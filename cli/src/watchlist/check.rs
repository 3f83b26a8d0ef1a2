//! `candlewick watchlist check`: validates the watchlist and estimates its cost.

use std::process::ExitCode;

use candlewick_shared::core::watchlist::{Location, Watchlist};
use jiff::Timestamp;
use serde::Serialize;

use super::estimate::{self, Need, PLANS, Plan, Time};
use crate::{table, terminal};

/// Validates the watchlist, and estimates the API credits, minutes and days that it takes.
///
/// It does not contact the API. An error in the list names the line and the field.
///
/// Exit codes: 0 if the list is valid, also if the plan is too small for it; 1 if it is invalid, or after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Your plan at TwelveData: basic, grow, pro or ultra
    #[arg(long, default_value = "basic", value_parser = plan)]
    plan: Plan,
    /// Credits per minute, if your plan has a different limit [default: the plan's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    credits_per_minute: Option<u64>,
    /// Credits per day, if your plan has a different limit [default: the plan's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    credits_per_day: Option<u64>,
    /// Print JSON: {"symbols", "intervals": {...}, "plan", "refresh", "first_fill", "is_enough", "smallest_plan"}
    #[arg(long)]
    json: bool,
}

fn plan(name: &str) -> Result<Plan, String> {
    PLANS.into_iter().find(|plan| plan.name == name).ok_or_else(|| "expected basic, grow, pro or ultra".to_owned())
}

#[derive(Debug, Serialize)]
struct Estimate {
    symbols: usize,
    intervals: Vec<(String, Need)>,
    plan: Plan,
    refresh: Time,
    first_fill: Time,
    is_enough: bool,
    smallest_plan: Option<&'static str>,
}

pub fn run(watchlist: &Watchlist, location: &Location, args: &Args) -> anyhow::Result<ExitCode> {
    let own = args.plan.clone();
    let per_minute = args.credits_per_minute.unwrap_or(own.per_minute);
    let per_day = args.credits_per_day.or(own.per_day);
    let estimate = estimate(watchlist, Plan { per_minute, per_day, ..own });
    if args.json {
        terminal::json(&estimate)?;
    } else {
        terminal::result(&summary(&estimate, location));
    }
    Ok(ExitCode::SUCCESS)
}

fn estimate(watchlist: &Watchlist, plan: Plan) -> Estimate {
    let needs = estimate::needs(watchlist, Timestamp::now());
    let sum = |of: fn(&Need) -> u64| needs.values().map(of).sum::<u64>();
    let refresh = sum(|need| need.refresh_credits);
    let first_fill = sum(|need| need.first_fill_credits);
    Estimate {
        symbols: watchlist.instruments().count(),
        intervals: needs.into_iter().map(|(interval, need)| (interval.to_string(), need)).collect(),
        refresh: plan.time(refresh),
        first_fill: plan.time(first_fill),
        is_enough: plan.is_enough(refresh),
        smallest_plan: estimate::smallest(refresh).map(|plan| plan.name),
        plan,
    }
}

fn summary(estimate: &Estimate, location: &Location) -> String {
    let Plan { name, per_minute, per_day } = &estimate.plan;
    let day = per_day.map_or(String::new(), |credits| format!(" and {credits} per day"));
    let enough = match (estimate.is_enough, estimate.smallest_plan) {
        (true, _) => format!("Plan {name} is sufficient for a refresh every day."),
        (false, Some(larger)) => format!("Plan {name} is not sufficient for a refresh every day; {larger} is."),
        (false, None) => "No plan is sufficient for a refresh every day.".to_owned(),
    };
    let lines = [
        format!("{location} is valid: {} symbols.", estimate.symbols),
        need_table(&estimate.intervals),
        format!("With plan {name} ({per_minute} credits per minute{day}), at one credit per request:"),
        format!("  a refresh takes  {}", time(estimate.refresh)),
        format!("  the first fill   at most {}", time(estimate.first_fill)),
        enough,
    ];
    lines.join("\n")
}

fn time(time: Time) -> String {
    let Time { credits, minutes, days } = time;
    format!("{credits} credits, {minutes} min of requests, on {days} {}", if days == 1 { "day" } else { "days" })
}

/// A table of what a watchlist needs, with one row per interval.
fn need_table(rows: &[(String, Need)]) -> String {
    let header = ["interval", "series", "credits per refresh", "credits for the first fill"];
    let cells = |(interval, need): &(String, Need)| {
        let numbers = [need.series, need.refresh_credits, need.first_fill_credits].map(|number| number.to_string());
        std::iter::once(interval.clone()).chain(numbers)
    };
    table::of(&header, rows.iter().map(cells), &[1, 2, 3])
}
