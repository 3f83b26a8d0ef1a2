//! `candlewick doctor`: holds what is deployed against `topology.json`.

mod database;
mod deployed;
mod finding;
mod findings;
mod look;
mod notifications;
mod policy;
mod queues;
mod terraform;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use candlewick_shared::core::topology::Topology;

use self::finding::Examined;
use crate::place::{Place, Running};
use crate::terminal;

/// Holds what is deployed against topology.json, and says how to mend what differs.
///
/// It looks at the bucket's notifications, the queues' policies, redrive and retention, filters by which a service would
/// wake itself, visibility against measured work, message sizes, regions, permissions and the database's schema. It
/// changes nothing.
///
/// Exit code: 0 when nothing is wrong, 1 when something is, 2 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Take the addresses from the output of `terraform output -json`; '-' reads standard input
    #[arg(long, value_name = "FILE")]
    from_terraform: Option<PathBuf>,
    /// Print JSON: {"findings": [{"check", "subject", "problem", "mend"}], "skipped": [{"check", "why"}]}; a check is
    /// address, bucket, notification, loop, queue, dead_letters, policy, visibility, retention, message_size, region,
    /// permission or database
    #[arg(long)]
    json: bool,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let running = match &args.from_terraform {
        Some(file) => from_terraform(place, file).await?,
        None => place.running().await?,
    };
    let topology = Topology::built_in();
    let deployed = look::look(&running, topology).await?;
    let examined = findings::examine(topology, &deployed);
    if args.json {
        terminal::json(&examined)?;
    } else {
        terminal::result(&told(&examined));
    }
    Ok(if examined.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn from_terraform(place: &Place, file: &Path) -> anyhow::Result<Running> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("read standard input")?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?
    };
    let addresses = terraform::addresses(&text).with_context(|| {
        format!("read Terraform's outputs from {} (write them by `terraform output -json`)", file.display())
    })?;
    place.deployed(addresses).await
}

fn told(examined: &Examined) -> String {
    let skipped = examined.skipped.iter().map(|skipped| format!("not looked at: {}: {}\n", skipped.check, skipped.why));
    let findings = examined.findings.iter().map(|finding| format!("{finding}\n"));
    let end = match examined.findings.len() {
        0 => "nothing is wrong".to_owned(),
        count => format!("{count} findings"),
    };
    format!("{}{}{end}", skipped.collect::<String>(), findings.collect::<String>())
}
