//! Stopping and starting again. These tests run one after the other, after all others.

use anyhow::ensure;
use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::candles::{daily, quiet};
use crate::candlewick::{candlewick, fail, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        a_second_up_on_the_same_state_is_refused,
        ctrl_c_leaves_nothing_running,
        after_a_second_up_the_store_is_whole,
        after_a_killed_up_the_next_one_starts,
        down_stops_what_up_started,
        up_once_fails_with_the_reason_of_a_series_that_failed
    ]
}

fn a_second_up_on_the_same_state_is_refused() -> anyhow::Result<()> {
    let error = fail(candlewick(Stack::get().state()).args(["up", "--once"]))?;
    ensure!(error.contains("already up") && error.contains("down"), "{error}");
    Ok(())
}

/// Whether a process exists: no signal is sent.
fn is_alive(pid: u32) -> bool {
    i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None).is_ok())
}

fn ctrl_c_leaves_nothing_running() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.put("raw/interval=1day/symbol=KEPT/candles.csv", daily(&["2024-12-26", "2024-12-27"]))?;
    stack.eventually("two rows", || Ok(stack.rows("KEPT")? == 2))?;
    let before = stack.running()?;
    ensure!(before.len() >= 7, "LocalStack, PostgreSQL, the simulator and four services should run: {before:?}");
    ensure!(stack.stop(Signal::SIGINT)?, "up did not exit with 0");
    let left: Vec<_> = before.into_iter().filter(|(_, pid)| is_alive(*pid)).collect();
    ensure!(left.is_empty(), "still running: {left:?}");
    Ok(())
}

/// LocalStack lost every object. They are restored, and the rows that PostgreSQL kept are recognized and not rewritten.
fn after_a_second_up_the_store_is_whole() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.start()?;
    stack.eventually("quiet queues", || quiet(stack))?;
    ensure!(stack.rows("KEPT")? == 2 && stack.rows("AAPL")? > 1200, "rows are gone");
    stack.object("raw/interval=1day/symbol=KEPT/candles.csv")?;
    stack.eventually("the transformed object", || {
        Ok(stack.object("transformed/interval=1day/symbol=KEPT/candles.csv").is_ok())
    })?;
    let log = std::fs::read_to_string(stack.state().join("logs/loader.log"))?;
    ensure!(log.contains("this version is already loaded"), "nothing was recognised as loaded");
    let loads = log.lines().filter(|line| line.contains("symbol=KEPT") && line.contains("Done")).count();
    ensure!(loads == 1, "KEPT was loaded {loads} times");
    Ok(())
}

fn after_a_killed_up_the_next_one_starts() -> anyhow::Result<()> {
    let stack = Stack::get();
    let before = stack.running()?;
    stack.stop(Signal::SIGKILL)?;
    stack.start()?;
    let left: Vec<_> = before.into_iter().filter(|(_, pid)| is_alive(*pid)).collect();
    ensure!(left.is_empty(), "processes of the killed run still run: {left:?}");
    stack.put("raw/interval=1day/symbol=ALIVE/candles.csv", daily(&["2024-12-27"]))?;
    stack.eventually("a row", || Ok(stack.rows("ALIVE")? == 1))
}

fn down_stops_what_up_started() -> anyhow::Result<()> {
    let stack = Stack::get();
    let said = succeed(candlewick(stack.state()).arg("down"))?;
    ensure!(said.contains("stopped"), "{said}");
    ensure!(stack.running()?.is_empty(), "something still runs");
    let error = fail(candlewick(stack.state()).arg("status"))?;
    ensure!(error.contains("nothing answers") && error.contains("up"), "{error}");
    Ok(())
}

fn up_once_fails_with_the_reason_of_a_series_that_failed() -> anyhow::Result<()> {
    let stack = Stack::get();
    let path = stack.state().join("watchlist.toml");
    std::fs::write(&path, "[groups.stocks]\nsymbols = [\"AAPL\", \"NOSUCH\"]\n")?;
    let said = fail(candlewick(stack.state()).args(["up", "--once", "--watchlist"]).arg(&path))?;
    ensure!(said.contains("NOSUCH 1day is not loaded") && said.contains("does not know the symbol"), "{said}");
    ensure!(said.contains("1 of 2 series are not loaded"), "{said}");
    ensure!(stack.running()?.is_empty(), "something still runs");
    Ok(())
}
