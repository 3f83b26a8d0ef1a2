//! The command without what it needs: without an output, without a database, and in another schema.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::candlewick::{candlewick, fail, program, root};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        a_full_disk_is_an_error_and_no_panic,
        a_closed_pipe_ends_the_command_in_peace,
        a_database_that_is_not_there_is_told_at_once,
        a_url_of_another_database_is_refused,
        another_schema_than_public_is_refused_with_what_to_change
    ]
}

fn list() -> Command {
    let mut command = Command::new(program("candlewick"));
    command.args(["watchlist", "list"]).env("WATCHLIST", root().join("watchlist.toml")).stdin(Stdio::null());
    command
}

fn a_full_disk_is_an_error_and_no_panic() -> anyhow::Result<()> {
    let full = || File::options().write(true).open("/dev/full").context("open the full disk");
    for arguments in [&["watchlist", "list"][..], &["watchlist", "list", "--json"]] {
        let mut command = Command::new(program("candlewick"));
        command.args(arguments).env("WATCHLIST", root().join("watchlist.toml")).stdout(full()?);
        let output = command.stderr(Stdio::piped()).output().context("run candlewick")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.code() == Some(1) && said.contains("No space left") && !said.contains("panicked"),
            "{said}"
        );
    }
    let nowhere = list().stdout(full()?).stderr(full()?).status().context("run candlewick")?;
    ensure!(nowhere.code() == Some(1), "{nowhere}");
    Ok(())
}

fn a_closed_pipe_ends_the_command_in_peace() -> anyhow::Result<()> {
    let mut child = list().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("run candlewick")?;
    // The reader closes the pipe before the first byte.
    drop(child.stdout.take());
    let output = child.wait_with_output().context("wait for candlewick")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success() && said.is_empty(), "{said}");
    Ok(())
}

fn migrate(url: &str) -> anyhow::Result<(String, Duration)> {
    let state = tempfile::tempdir().context("make a directory")?;
    let mut command = candlewick(state.path());
    let begun = Instant::now();
    let output = command.arg("migrate").env("DATABASE_URL", url).output().context("run candlewick migrate")?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    Ok((String::from_utf8_lossy(&output.stderr).into_owned(), begun.elapsed()))
}

/// The pool would retry for ten seconds. How long a busy machine takes to start a program is not measured.
fn a_database_that_is_not_there_is_told_at_once() -> anyhow::Result<()> {
    let (said, took) = migrate("postgres://someone:secret@127.0.0.1:9/candles")?;
    ensure!(said.contains("refused") && said.contains("127.0.0.1:9") && !said.contains("secret"), "{said}");
    ensure!(said.lines().count() == 1 && took < Duration::from_secs(5), "{took:?}: {said}");
    Ok(())
}

fn a_url_of_another_database_is_refused() -> anyhow::Result<()> {
    for url in ["mysql://someone:secret@127.0.0.1:9/candles", "127.0.0.1:9/candles"] {
        let (said, _) = migrate(url)?;
        ensure!(said.contains("not a PostgreSQL URL") && !said.contains("secret"), "{said}");
    }
    Ok(())
}

fn another_schema_than_public_is_refused_with_what_to_change() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.run(sqlx::query("create schema if not exists elsewhere").execute(&stack.pool())).context("make a schema")?;
    let url = format!("{}?options=-csearch_path%3Delsewhere", stack.setting("DATABASE_URL"));
    let said = fail(candlewick(stack.state()).arg("status").env("DATABASE_URL", url))?;
    ensure!(said.contains("the schema elsewhere") && said.contains("remove search_path"), "{said}");
    Ok(())
}
