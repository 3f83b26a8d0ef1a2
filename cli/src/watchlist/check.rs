//! `candlewick watchlist check`: whether it is one, and what it costs.

use std::process::ExitCode;

use anyhow::Context;
use candlewick_shared::core::watchlist::{Location, Watchlist};
use jiff::Timestamp;
use serde::Serialize;

use super::estimate::{self, Need, PLANS, Plan, Time};
use crate::{table, terminal};

/// Checks the watchlist, and estimates the credits, minutes and days that it takes
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan of the API's key: basic, grow, pro or ultra
    #[arg(long, default_value = "basic", value_parser = plan)]
    plan: Plan,
    /// Credits a minute, where the plan's are others by now
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    credits_per_minute: Option<u64>,
    /// Credits a day, where the plan's are others by now
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    credits_per_day: Option<u64>,
    /// Print JSON: {"symbols", "intervals": {...}, "plan", "refresh", "first_fill", "is_enough", "smallest_plan"}
    #[arg(long)]
    json: bool,
}

fn plan(name: &str) -> Result<Plan, String> {
    PLANS.into_iter().find(|plan| plan.name == name).ok_or_else(|| "it is none of basic, grow, pro, ultra".to_owned())
}

/// What a watchlist takes.
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
        terminal::result(&serde_json::to_string_pretty(&estimate).context("write JSON")?);
    } else {
        terminal::result(&say(&estimate, location));
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

fn say(estimate: &Estimate, location: &Location) -> String {
    let Plan { name, per_minute, per_day } = &estimate.plan;
    let day = per_day.map_or(String::new(), |credits| format!(" and {credits} a day"));
    let enough = match (estimate.is_enough, estimate.smallest_plan) {
        (true, _) => format!("A refresh every day is within plan {name}."),
        (false, Some(larger)) => format!("A refresh every day is more than plan {name} has; {larger} is enough."),
        (false, None) => "A refresh every day is more than any plan has.".to_owned(),
    };
    let lines = [
        format!("{location} is in order: {} symbols.", estimate.symbols),
        need_table(&estimate.intervals),
        format!("With plan {name} ({per_minute} credits a minute{day}), at one credit a request:"),
        format!("  a refresh takes  {}", time(estimate.refresh)),
        format!("  the first fill   {} at the most", time(estimate.first_fill)),
        enough,
    ];
    lines.join("\n")
}

fn time(time: Time) -> String {
    let Time { credits, minutes, days } = time;
    format!("{credits} credits, {minutes} min of asking, on {days} {}", if days == 1 { "day" } else { "days" })
}

/// A table of what a watchlist needs, with one row per interval.
fn need_table(rows: &[(String, Need)]) -> String {
    let mut text = table::empty(&["interval", "series", "credits a refresh", "credits for the first fill"]);
    for (interval, need) in rows {
        let numbers = [need.series, need.refresh_credits, need.first_fill_credits].map(|number| number.to_string());
        text.add_row(std::iter::once(interval.clone()).chain(numbers));
    }
    table::right_align(&mut text, &[1, 2, 3]);
    text.to_string()
}
