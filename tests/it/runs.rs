//! Runs from the message that requests them to their end, with edits of the watchlist between them.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use candlewick_shared::ports::store::ObjectStore;
use candlewick_test_support::server::free_port;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::candlewick::{candlewick, fail, finish, program, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        a_refresh_is_a_run_that_ends_with_its_counts,
        who_waits_for_a_run_is_told_how_it_ended,
        a_run_of_the_api_is_fetched_once,
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
    let (status, said) = finish(candlewick(stack.state()).args(["refresh", "MSFT", "NOSUCHRUN", "--wait"]))?;
    let reason = "NOSUCHRUN 1day failed";
    ensure!(status.code() == Some(1) && said.contains("2 of 2 series") && said.contains(reason), "{status} {said}");
    let line = said.lines().find(|line| line.contains(": requested")).context("find the run")?;
    let run = line.trim_start_matches("run ").split(':').next().context("find the run's name")?;
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

fn who_waits_for_a_run_is_told_how_it_ended() -> anyhow::Result<()> {
    let stack = Stack::get();
    let refresh = ["refresh", "BRK.B", "--interval", "1day", "--run", "by-hand", "--wait", "--timeout", "2m"];
    let said = succeed(candlewick(stack.state()).args(refresh))?;
    ensure!(said.contains("1 of 1 series: 1 fetched"), "{said}");
    let first = told(stack, &["runs", "by-hand", "--json"])?;
    ensure!(first["run"]["expected"] == 1 && first["run"]["failed"] == 0, "{first}");
    succeed(candlewick(stack.state()).args(refresh))?;
    ensure!(told(stack, &["runs", "by-hand", "--json"])? == first, "the same name was fetched again");
    succeed(candlewick(stack.state()).args(["runs", "by-hand", "--wait"]))?;
    let (status, said) = finish(candlewick(stack.state()).args(["refresh", "MSFT", "--wait", "--timeout", "1ms"]))?;
    ensure!(status.code() == Some(2) && said.contains("goes on"), "{status} {said}");
    let error = fail(candlewick(stack.state()).args(["runs", "never", "--wait", "--timeout", "10ms"]))?;
    ensure!(error.contains("there is no run never"), "{error}");
    Ok(())
}

/// A dashboard of the stack that may be asked for runs, until this is dropped.
struct Dashboard {
    process: Child,
    address: String,
}

const WRITE_TOKEN: &str = "may-request-runs";

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Dashboard {
    fn start(stack: &Stack) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listen = format!("127.0.0.1:{}", free_port());
        let process = Command::new(program("candlewick-dashboard"))
            .envs(stack.settings())
            .envs([("DASHBOARD_LISTEN", listen.as_str()), ("DASHBOARD_WRITE_TOKEN", WRITE_TOKEN)])
            .stdout(Stdio::null())
            .spawn()
            .context("start a dashboard")?;
        let dashboard = Self { process, address: format!("http://{listen}") };
        let ready = format!("{}/readyz", dashboard.address);
        stack.eventually("a dashboard that is ready", || {
            Ok(stack.run(reqwest::get(&ready)).is_ok_and(|answer| answer.status() == 200))
        })?;
        Ok(dashboard)
    }

    fn get(&self, stack: &Stack, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.address);
        stack.run(async { reqwest::get(url).await?.error_for_status()?.json().await }).context("ask the dashboard")
    }

    fn post(&self, stack: &Stack, body: &Value) -> anyhow::Result<Value> {
        let request = reqwest::Client::new().post(format!("{}/api/v1/runs", self.address)).bearer_auth(WRITE_TOKEN);
        let request = request.json(body);
        stack.run(async { request.send().await?.error_for_status()?.json().await }).context("request a run")
    }
}

fn a_run_of_the_api_is_fetched_once() -> anyhow::Result<()> {
    let stack = Stack::get();
    let dashboard = Dashboard::start(stack)?;
    let body = json!({"id": "dag__2024-12-30T22:00:00+00:00", "symbols": ["BTC/USD"], "intervals": ["1day"]});
    let run = dashboard.post(stack, &body)?;
    ensure!(run["id"] == body["id"], "{run}");
    let path = "/api/v1/runs/dag__2024-12-30T22%3A00%3A00%2B00%3A00";
    let ended = dashboard.get(stack, &format!("{path}?wait=55s"))?;
    ensure!(ended["state"] == "ended" && ended["expected"] == 1 && ended["failed"] == 0, "{ended}");
    let series = dashboard.get(stack, &format!("{path}/series?wait=55s"))?;
    let row = &series["rows"][0];
    ensure!(row["symbol"] == "BTC/USD" && row["last"].is_string(), "{series}");
    ensure!(["loaded", "unchanged", "superseded"].contains(&row["state"].as_str().unwrap_or_default()), "{series}");
    let again = dashboard.post(stack, &body)?;
    ensure!(again["state"] == "ended" && again["ended_at"] == ended["ended_at"], "{again}");
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
    let stack = Stack::get();
    let place = "s3://candlewick/config/watchlist.toml";
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
