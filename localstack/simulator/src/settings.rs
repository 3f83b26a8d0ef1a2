//! The settings and command line of the simulator.

use std::net::SocketAddr;

use candlewick_shared::core::clock::Clock;
use clap::Parser;

use crate::credits::Plan;
use crate::fault_text::{Defects, parse_defects, parse_faults};
use crate::faults::Faults;

/// The settings of a simulator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The seed of everything that is generated.
    pub seed: u64,
    pub plan: Plan,
    /// The only accepted key; `None` accepts any key that is not empty.
    pub key: Option<String>,
    /// The initial faults.
    pub faults: Faults,
    /// The initial data defects.
    pub defects: Defects,
    pub clock: Clock,
}

impl Default for Settings {
    /// Seed 1, no credit limits, any key, no faults, no defects, and real time.
    fn default() -> Self {
        Self {
            seed: 1,
            plan: Plan::unlimited(),
            key: None,
            faults: Faults::default(),
            defects: Defects::default(),
            clock: Clock::Real,
        }
    }
}

/// Simulates the TwelveData API with recorded and generated candles.
///
/// The environment variable CLOCK sets the simulated time: START@ANCHOR*RATE, such as
/// 2024-06-03T13:30:00Z@1717421400*60.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// Address to listen on; port 0 means any free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8460")]
    pub listen: SocketAddr,
    /// Check whether a simulator responds at --listen, then exit with 0 or 1
    #[arg(long)]
    pub healthcheck: bool,
    /// Seed of everything that is generated
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Plan that limits the credits: free, grow, pro or unlimited
    #[arg(long, default_value = "unlimited")]
    pub plan: Plan,
    /// Credits per minute, instead of those of the plan
    #[arg(long, value_name = "CREDITS")]
    pub credits_per_minute: Option<u32>,
    /// Credits per UTC day, instead of those of the plan
    #[arg(long, value_name = "CREDITS")]
    pub credits_per_day: Option<u32>,
    /// The only accepted key [default: any that is not empty]
    #[arg(long)]
    pub key: Option<String>,
    /// Faults, such as 500:0.1,html:0.05,cut:0.05,slow=2s:0.1,429-minute:0.02,status200-errors
    ///
    /// A list of KIND:CHANCE. The kinds are 500, html, cut, slow=DELAY, 429-minute, 429-day, null, no-values,
    /// empty-values, short, holes and plan-gate. The switch status200-errors sends every error with HTTP status 200.
    #[arg(long, value_parser = parse_faults, default_value = "", hide_default_value = true)]
    pub faults: Faults,
    /// Data defects by symbol, such as MSFT=duplicate+null,*=float-noise
    ///
    /// The kinds are duplicate, conflict, missing, sentinel, null, hundredfold, float-noise, weekend, future and
    /// split-step.
    #[arg(long, value_parser = parse_defects, default_value = "", hide_default_value = true)]
    pub defects: Defects,
}

impl Arguments {
    /// Combines the command line and the clock to settings.
    pub fn into_settings(self, clock: Clock) -> Settings {
        let mut plan = self.plan;
        plan.per_minute = self.credits_per_minute.unwrap_or(plan.per_minute);
        plan.per_day = self.credits_per_day.or(plan.per_day);
        Settings { seed: self.seed, plan, key: self.key, faults: self.faults, defects: self.defects, clock }
    }
}
