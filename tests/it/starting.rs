//! Starts that cannot succeed: clear messages, and an exit code other than 0.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use libtest_mimic::Trial;

use crate::candlewick::{candlewick, fail, program, succeed};

pub fn trials() -> Vec<Trial> {
    trials![
        a_service_without_its_queue_says_so,
        a_service_without_a_setting_names_it,
        a_setting_that_cannot_be_is_named,
        a_command_without_a_stack_says_how_to_start_one,
        a_port_that_is_taken_is_named,
        a_missing_python_is_named,
        a_broken_watchlist_is_named_with_line_and_field,
        help_tells_what_to_do_next
    ]
}

/// A port that nothing listens on: it was free a moment ago.
fn closed_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn service(name: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(program(name));
    command
        .env_clear()
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", closed_port()?)).env("BUCKET", "candlewick");
    Ok(command)
}

fn a_service_without_its_queue_says_so() -> anyhow::Result<()> {
    let error = fail(service("candlewick-transform")?.env("RAW_QUEUE_URL", "http://127.0.0.1:1/queue/candlewick-raw"))?;
    ensure!(
        error.contains("reach the queue") && error.contains("candlewick-raw") && error.contains("LocalStack"),
        "{error}"
    );
    Ok(())
}

fn a_service_without_a_setting_names_it() -> anyhow::Result<()> {
    let error = fail(&mut service("candlewick-loader")?)?;
    ensure!(error.contains("DATABASE_URL is not set"), "{error}");
    let error = fail(&mut service("candlewick-ingest")?)?;
    ensure!(error.contains("TWELVEDATA_API_KEY is not set"), "{error}");
    Ok(())
}

fn a_setting_that_cannot_be_is_named() -> anyhow::Result<()> {
    let mut transform = service("candlewick-transform")?;
    let error = fail(transform.env("RAW_QUEUE_URL", "http://127.0.0.1:1/queue/x").env("LEASE_SECONDS", "0"))?;
    ensure!(error.contains("LEASE_SECONDS is \"0\""), "{error}");
    Ok(())
}

fn a_command_without_a_stack_says_how_to_start_one() -> anyhow::Result<()> {
    let empty = tempfile::tempdir()?;
    let error = fail(candlewick(empty.path()).arg("status"))?;
    ensure!(error.contains("cargo run -- up"), "{error}");
    let said = succeed(candlewick(empty.path()).arg("down"))?;
    ensure!(said.contains("nothing is running"), "{said}");
    Ok(())
}

fn up(state: &Path) -> Command {
    let mut command = candlewick(state);
    command.args(["up", "--once"]);
    command
}

fn a_port_that_is_taken_is_named() -> anyhow::Result<()> {
    let state = tempfile::tempdir()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    let error = fail(up(state.path()).args(["--postgres-port", &port]))?;
    ensure!(
        error.contains(&format!("port {port}"))
            && error.contains("--postgres-port")
            && error.contains("used by another program"),
        "{error}"
    );
    Ok(())
}

fn a_missing_python_is_named() -> anyhow::Result<()> {
    let state = tempfile::tempdir()?;
    let nowhere = tempfile::tempdir()?;
    let error =
        fail(up(state.path()).env("PATH", nowhere.path()).env("CARGO", env!("CARGO")).env_remove("CANDLEWICK_PYTHON"))?;
    ensure!(error.contains("Python 3"), "{error}");
    Ok(())
}

fn a_broken_watchlist_is_named_with_line_and_field() -> anyhow::Result<()> {
    let state = tempfile::tempdir()?;
    let path = state.path().join("watchlist.toml");
    std::fs::write(&path, "[groups.stocks]\nsymbol = [\"AAPL\"]\n")?;
    let error = fail(up(state.path()).arg("--watchlist").arg(&path))?;
    ensure!(error.contains("watchlist.toml") && error.contains("symbol") && error.contains("line"), "{error}");
    Ok(())
}

fn help_tells_what_to_do_next() -> anyhow::Result<()> {
    let anywhere = tempfile::tempdir()?;
    for (command, words) in [
        ("up", "Ctrl-C stops everything that it started"),
        ("down", "nothing else"),
        ("drop", "Files of most sources are read as they are"),
        ("refresh", "without waiting for the schedule"),
        ("runs", "the series that are not loaded, with the reason"),
        ("status", "the depth of each queue"),
        ("watchlist", "An edit keeps comments and order"),
    ] {
        let help = succeed(candlewick(anywhere.path()).args([command, "--help"]))?;
        ensure!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains(words), "{command}: {help}");
    }
    Ok(())
}
