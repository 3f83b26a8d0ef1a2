//! `candlewick doctor`: compares what is deployed with `topology.json`.

mod calendars;
mod database;
mod finding;
mod findings;
mod inspect;
mod notifications;
mod policy;
mod queues;
mod rules;
mod snapshot;
mod terraform;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use candlewick_shared::core::topology::Topology;

use self::finding::Examined;
use crate::place::{Deployment, Place};
use crate::terminal;

/// Compares what is deployed with topology.json, and says how to fix each difference.
///
/// It checks the bucket's notifications and their filters (which must not let a service wake itself), the rules of
/// EventBridge for consumers of your own, the queues' policies, redrive, retention, visibility timeout and message size, regions, permissions, the database's schema,
/// whether loads take longer than a lease, and whether the calendars are valid and reach far enough. It changes nothing.
///
/// Needs the bucket, the queues and read access to their configuration. Without DATABASE_URL it skips the database and
/// says so.
///
/// Exit codes: 0 if nothing is wrong, 1 if something is wrong, 2 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Take the addresses from this output of `terraform output -json`; '-' reads standard input
    #[arg(long, value_name = "FILE")]
    from_terraform: Option<PathBuf>,
    /// Print JSON: {"findings": [{"check", "subject", "problem", "mend"}], "skipped": [{"check", "why"}]}; check is
    /// address, bucket, notification, loop, queue, dead_letters, policy, visibility, retention, message_size, region,
    /// permission, rule, database or calendar
    #[arg(long)]
    json: bool,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let deployment = match &args.from_terraform {
        Some(file) => from_terraform(place, file).await?,
        None => place.running().await?,
    };
    let topology = Topology::current();
    let snapshot = inspect::inspect(&deployment, topology).await?;
    let mut examined = findings::examine(topology, &snapshot);
    calendars::examine(&mut examined, &deployment).await;
    if args.json {
        terminal::json(&examined)?;
    } else {
        terminal::result(&summary(&examined));
    }
    Ok(if examined.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn from_terraform(place: &Place, file: &Path) -> anyhow::Result<Deployment> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("read standard input")?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?
    };
    let addresses = terraform::addresses(&text).with_context(|| {
        format!("read Terraform's outputs from {} (`terraform output -json` writes them)", file.display())
    })?;
    place.deployment_at(addresses).await
}

fn summary(examined: &Examined) -> String {
    let skipped = examined.skipped.iter().map(|skipped| format!("skipped: {}: {}\n", skipped.check, skipped.why));
    let findings = examined.findings.iter().map(|finding| format!("{finding}\n"));
    let end = match examined.findings.len() {
        0 => "nothing is wrong".to_owned(),
        count => format!("{count} findings"),
    };
    format!("{}{}{end}", skipped.collect::<String>(), findings.collect::<String>())
}
