//! The owner hears of a reconcile that cannot list the bucket: nothing else would find lost notifications.

use anyhow::ensure;
use libtest_mimic::Trial;

use crate::candlewick::{candlewick, fail, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![a_listing_that_fails_raises_an_alert_and_the_next_one_resolves_it]
}

/// The number of alerts of reconcile in a state.
const ALERTS: &str = "select count(*) from alerts where kind = 'outage' and stage = 'reconcile' and state = $1
    and text like '%NoSuchBucket%'";

fn a_listing_that_fails_raises_an_alert_and_the_next_one_resolves_it() -> anyhow::Result<()> {
    let stack = Stack::get();
    let error = fail(candlewick(stack.state()).arg("reconcile").env("BUCKET", "candlewick-absent"))?;
    ensure!(error.contains("NoSuchBucket") && !error.contains("panicked"), "{error}");
    stack.eventually("an alert", || Ok(stack.count(ALERTS, "firing")? == 1))?;
    succeed(candlewick(stack.state()).arg("reconcile"))?;
    stack.eventually("its end", || Ok(stack.count(ALERTS, "resolved")? == 1))
}
