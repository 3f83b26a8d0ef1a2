//! A run takes what its budget allows, and hardly longer.

use candlewick_ingest::credits::budget::Plan;
use jiff::Timestamp;
use serde_json::Value;

use crate::credits::{Running, account, made_up, send};
use crate::support::{fast, moving};

const SYMBOLS: usize = 12;
const PER_MINUTE: u32 = 4;

/// `cargo bench -p candlewick-ingest --bench budget` does the same with a thousand symbols on a plan that is sold.
#[tokio::test]
async fn a_run_takes_what_the_budget_allows_and_hardly_longer() {
    // A minute is six seconds of the machine. Four requests take a small part of them even on a busy machine.
    let world = moving(account(PER_MINUTE, None), fast("2024-12-30T22:00:50Z", 10.0)).await;
    send(&world, &made_up(SYMBOLS)).await;
    let running = Running::start(world, Plan::default());
    running.until_fetched(SYMBOLS).await;
    let asked = running.stop().await.asked("/time_series").await;
    assert!(asked.len() == SYMBOLS && asked.iter().all(|entry| entry["status"] == 200), "{asked:?}");
    let at = |entry: &Value| entry["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let took = at(&asked[SYMBOLS - 1]).duration_since(at(&asked[0])).as_secs_f64();
    let allowed = 60.0 * SYMBOLS as f64 / f64::from(PER_MINUTE);
    assert!(took <= allowed * 1.05, "{took:.0} simulated seconds, of {allowed:.0} allowed");
}
