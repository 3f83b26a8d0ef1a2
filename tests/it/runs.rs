//! Runs from the message that requests them to their end, with edits of the watchlist between them.

use anyhow::{Context, ensure};
use candlewick_shared::ports::store::ObjectStore;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::candlewick::{candlewick, fail, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        a_refresh_is_a_run_that_ends_with_its_counts,
        what_up_fetches_is_a_run_too,
        what_a_schedule_sends_twice_is_one_run,
        a_watchlist_in_the_bucket_is_checked_and_edited
    ]
}

/// The output of the command, as JSON.
fn told(stack: &Stack, words: &[&str]) -> anyhow::Result<Value> {
    serde_json::from_str(&succeed(candlewick(stack.state()).args(words))?).context("read JSON")
}

/// A run once it has ended: its counts, and the series that are not loaded.
fn ended(stack: &Stack, run: &str) -> anyhow::Result<Value> {
    let mut shown = Value::Null;
    stack.eventually(&format!("the end of run {run}"), || {
        shown = told(stack, &["runs", run, "--json"])?;
        Ok(shown["run"]["state"] == "ended")
    })?;
    Ok(shown)
}

fn a_refresh_is_a_run_that_ends_with_its_counts() -> anyhow::Result<()> {
    let stack = Stack::get();
    let before = std::fs::read_to_string(stack.watchlist())?;
    let said = succeed(candlewick(stack.state()).args(["watchlist", "add", "NOSUCHRUN", "--group", "stocks"]))?;
    ensure!(said.contains("added NOSUCHRUN"), "{said}");
    let said = succeed(candlewick(stack.state()).args(["refresh", "MSFT", "NOSUCHRUN"]))?;
    let run = said.trim_start_matches("run ").split(':').next().context("find the run's name")?;
    let shown = ended(stack, run)?;
    succeed(candlewick(stack.state()).args(["watchlist", "remove", "NOSUCHRUN"]))?;
    ensure!(std::fs::read_to_string(stack.watchlist())? == before, "the edits left something");
    let counts = ["expected", "fetched", "loaded", "unchanged", "superseded", "failed"];
    ensure!(counts.map(|count| shown["run"][count].as_i64()) == [2, 1, 1, 0, 0, 1].map(Some), "{shown}");
    ensure!(shown["series"].as_array().is_some_and(|series| series.len() == 1), "{shown}");
    let failed = &shown["series"][0];
    ensure!(failed["symbol"] == "NOSUCHRUN" && failed["state"] == "failed", "{shown}");
    ensure!(failed["reason"].as_str().is_some_and(|reason| reason.contains("does not know the symbol")), "{shown}");
    let error = fail(candlewick(stack.state()).args(["runs", "never"]))?;
    ensure!(error.contains("there is no run never"), "{error}");
    Ok(())
}

fn what_up_fetches_is_a_run_too() -> anyhow::Result<()> {
    let stack = Stack::get();
    let runs = told(stack, &["runs", "--most", "1000", "--json"])?;
    let all = runs.as_array().context("find the runs")?;
    let first = all.iter().find(|run| run["expected"] == 4 && run["kind"] == "manual").context("find the run of up")?;
    ensure!(first["state"] == "ended" && first["failed"] == 0, "{first}");
    ensure!(first["loaded"].as_i64() == Some(4), "{first}");
    Ok(())
}

fn what_a_schedule_sends_twice_is_one_run() -> anyhow::Result<()> {
    let stack = Stack::get();
    let due = json!({"kind": "refresh", "scheduled": "2024-12-30T21:00:00Z", "symbols": ["BTC/USD"]}).to_string();
    for _ in 0..2 {
        stack.send("INGEST_QUEUE_URL", due.clone())?;
    }
    let shown = ended(stack, "20241230T210000-scheduled")?;
    ensure!(shown["run"]["kind"] == "scheduled" && shown["run"]["requested_at"] == "2024-12-30T21:00:00Z", "{shown}");
    ensure!(shown["run"]["expected"] == 1 && shown["series"].as_array().is_some_and(Vec::is_empty), "{shown}");
    Ok(())
}

fn a_watchlist_in_the_bucket_is_checked_and_edited() -> anyhow::Result<()> {
    let (stack, place) = (Stack::get(), "s3://candlewick/config/watchlist.toml");
    let list = |words: &[&str]| {
        let mut command = candlewick(stack.state());
        command.args(["watchlist", "--watchlist", place]).args(words);
        command
    };
    let error = fail(&mut list(&["check"]))?;
    ensure!(error.contains("there is no such object"), "{error}");
    stack.put("config/watchlist.toml", "# mine\n[groups.a]\nsymbols = [\"SBIN:NSE\"] # one\n")?;
    succeed(&mut list(&["add", "BRK.B", "BTC/USD"]))?;
    let text = stack.run(stack.store().get("config/watchlist.toml"))?.context("find the list")?.body;
    ensure!(text == "# mine\n[groups.a]\nsymbols = [\"SBIN:NSE\", \"BRK.B\", \"BTC/USD\"] # one\n", "{text:?}");
    let estimate: Value = serde_json::from_str(&succeed(&mut list(&["check", "--json"]))?)?;
    ensure!(estimate["symbols"] == 3 && estimate["refresh"]["credits"] == 3, "{estimate}");
    ensure!(estimate["smallest_plan"] == "basic", "{estimate}");
    let error = fail(&mut list(&["add", "A B"]))?;
    ensure!(error.contains("\"A B\" has a character in it"), "{error}");
    stack.put("config/watchlist.toml", "[groups.a]\nsymbols = [\"A\"]\nintervals = [\"5h\"]\n")?;
    let error = fail(&mut list(&["check"]))?;
    ensure!(error.contains("line 3, groups.a.intervals"), "{error}");
    Ok(())
}
