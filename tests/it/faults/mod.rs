//! Nothing is lost: many objects are processed while everything around them fails, by a plan that depends on a seed.
//!
//! Services are killed, PostgreSQL is restarted, rights are revoked, tables and schemas are dropped, statements time out,
//! the network to S3, SQS and the database cuts, delays and truncates, messages arrive twice, late and out of order,
//! leases are shorter than the work, objects are overwritten while they are in flight, and some of them are broken, huge
//! or full of control characters. In the end the store is the same as without any faults.
//!
//! The seed determines the objects, the moments of kills and restarts, and the faults of the n-th connection to each
//! address after a number of bytes. Which work such a moment hits depends on the machine.

mod administrator;
mod broken;
mod check;
mod database;
mod disturber;
mod network;
mod objects;
mod outage;
mod plan;
mod support;
mod tally;
mod tamperer;
mod traffic;

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use libtest_mimic::Trial;

use self::plan::Plan;
use self::support::Environment;
pub use self::support::{WATCHDOG, watch_over};
use self::tally::Tally;
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![a_seed_makes_the_same_plan_again, nothing_is_lost_whatever_fails]
}

/// `CANDLEWICK_SEED` sets the first plan and `CANDLEWICK_FAULT_RUNS` the number of plans; the default is one random
/// plan.
fn nothing_is_lost_whatever_fails() -> anyhow::Result<()> {
    let seed = match number("CANDLEWICK_SEED")? {
        Some(seed) => seed,
        None => SystemTime::now().duration_since(UNIX_EPOCH).context("read the clock")?.as_secs(),
    };
    for seed in seed..seed + number("CANDLEWICK_FAULT_RUNS")?.unwrap_or(1) {
        let again = format!("CANDLEWICK_SEED={seed} cargo test -p candlewick-tests --test it nothing_is_lost");
        run(seed).with_context(|| format!("seed {seed}; the same plan again: {again}"))?;
    }
    Ok(())
}

fn number(variable: &str) -> anyhow::Result<Option<u64>> {
    let Ok(text) = std::env::var(variable) else { return Ok(None) };
    text.parse().map(Some).with_context(|| format!("{variable} is {text:?}: it should be a number"))
}

fn run(seed: u64) -> anyhow::Result<()> {
    let plan = Plan::new(seed);
    let tally = Arc::new(Tally::default());
    let stack = Stack::get();
    say(&format!("faults, seed {seed}: {}", plan.summary()));
    let addresses = stack.settings();
    let aws = stack.aws();
    let ended = stack.run(async {
        let environment = Environment::start(aws, &addresses, &plan, Arc::clone(&tally)).await?;
        let ended = through(&environment, &plan).await;
        let observed = tally.observe(&environment);
        environment.stop().await;
        observed.and(ended)
    });
    let calmed = ended.with_context(|| format!("what there was of it:\n{tally}"))?;
    say(&format!("faults, seed {seed}: whole {calmed:.1?} after the last of them\n{tally}"));
    tally.ensure_every_kind()
}

/// Injects all faults until the end of the plan, and then waits until the store is correct.
async fn through(environment: &Environment, plan: &Plan) -> anyhow::Result<Duration> {
    let disturbed = async {
        tokio::try_join!(
            traffic::send(environment, plan),
            disturber::kill(environment, plan),
            disturber::restart_postgres(environment, plan),
            administrator::err(environment, plan),
        )
    };
    tokio::select! {
        disturbed = disturbed => disturbed.map(|_| ())?,
        tampered = tamperer::tamper(environment, plan) => tampered?,
    }
    environment.calm.cancel();
    outage::outlast(environment, plan).await?;
    check::until_whole(environment, plan).await
}

/// Prints the figures of the run for people, whether it succeeds or not. These tests print nothing else.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn a_seed_makes_the_same_plan_again() -> anyhow::Result<()> {
    let plan = |seed| format!("{:?}", Plan::new(seed));
    anyhow::ensure!(plan(7) == plan(7) && plan(7) != plan(8), "the plan is not the seed's");
    let fates = |seed| network::strikes(seed, network::Way::S3, 3).take(20).collect::<Vec<_>>();
    anyhow::ensure!(fates(7) == fates(7) && fates(7) != fates(8), "the fate of a connection is not the seed's");
    let plan = Plan::new(7);
    anyhow::ensure!(
        plan.files.len() >= 200 && plan.letters().count() >= 50 && plan.mistakes.len() == 4,
        "{}",
        plan.summary()
    );
    Ok(())
}
