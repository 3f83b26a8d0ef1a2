//! Third-party code and tools that are used to build, check and release.

use std::fs;
use std::process::Command;

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::candlewick::root;

pub fn trials() -> Vec<Trial> {
    trials![
        every_action_is_pinned_by_its_commit,
        every_workflow_may_only_read_unless_a_job_says_more,
        every_image_goes_by_digest_or_has_a_reason,
        a_lock_file_with_a_known_flaw_is_found
    ]
}

/// The workflows, by name.
fn workflows() -> anyhow::Result<Vec<(String, String)>> {
    let entries = fs::read_dir(root().join(".github/workflows")).context("list the workflows")?;
    let read =
        |entry: fs::DirEntry| anyhow::Ok((entry.path().display().to_string(), fs::read_to_string(entry.path())?));
    let all: Vec<_> = entries.map(|entry| read(entry?)).collect::<Result<_, _>>()?;
    ensure!(!all.is_empty(), "there are no workflows: this test looks in the wrong place");
    Ok(all)
}

/// A tag can be moved to other code; a commit cannot. The version after the commit is for people, and for tools that
/// propose updates.
fn every_action_is_pinned_by_its_commit() -> anyhow::Result<()> {
    for (path, text) in workflows()? {
        for uses in text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, uses)| uses) {
            ensure!(is_pinned(uses), "{path}: {uses:?} is not OWNER/ACTION@COMMIT # VERSION");
        }
    }
    Ok(())
}

fn is_pinned(uses: &str) -> bool {
    let Some((action, version)) = uses.split_once(" # v") else { return false };
    let commit = action.split_once('@').map_or("", |(_, commit)| commit);
    commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()) && version.split('.').count() == 3
}

fn every_workflow_may_only_read_unless_a_job_says_more() -> anyhow::Result<()> {
    for (path, text) in workflows()? {
        ensure!(
            text.contains("\npermissions:\n  contents: read\n"),
            "{path} takes what the repository gives by default"
        );
        let kept = text.matches("actions/checkout@").count() - text.matches("persist-credentials: false").count();
        ensure!(kept == 0, "{path}: a checkout leaves the job's token in the tree");
    }
    Ok(())
}

fn every_image_goes_by_digest_or_has_a_reason() -> anyhow::Result<()> {
    let said = Command::new("python3").args([".ci/pin", "--check"]).current_dir(root()).output()?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    Ok(())
}

/// Uses a separate tree, with one vulnerable and one fixed version.
fn a_lock_file_with_a_known_flaw_is_found() -> anyhow::Result<()> {
    let tree = tempfile::tempdir().context("make a folder")?;
    let package = |version| format!("[[package]]\nname = \"time\"\nversion = \"{version}\"\nsource = \"a registry\"\n");
    fs::write(tree.path().join("Cargo.lock"), package("0.1.43") + &package("0.3.47"))?;
    for arguments in [["init", "--quiet"], ["add", "Cargo.lock"]] {
        ensure!(Command::new("git").args(arguments).current_dir(&tree).status()?.success(), "git {arguments:?} failed");
    }
    let said = Command::new("python3").arg(root().join(".ci/advisories")).current_dir(&tree).output()?;
    let text = String::from_utf8_lossy(&said.stdout);
    ensure!(said.status.code() == Some(1), "it ended with {}: {text}", said.status);
    ensure!(text.contains("RUSTSEC-2020-0071: time 0.1.43") && !text.contains("time 0.3.47"), "it said: {text}");
    Ok(())
}
