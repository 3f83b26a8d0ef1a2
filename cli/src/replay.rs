//! `candlewick replay`: processes existing objects again.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use candlewick_shared::core::leftover::is_leftover;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::store::ObjectInfo;
use jiff::Timestamp;
use serde::Serialize;

use crate::moment::{Moment, moment};
use crate::place::Place;
use crate::{s3_events, terminal};

/// How many objects are listed and sent in one step.
const CHUNK: usize = 500;

/// Processes the current objects under a prefix again, as if they had just been written.
///
/// It sends the S3 event of each object to the queue that S3 notifies of it, and uploads nothing. Repeating it does no
/// harm: objects that are already cleaned or loaded are recognised. Use it after a change of the cleaning rules (raw/)
/// or of the database (transformed/). For lost messages use `reconcile`, which finds the missing objects itself.
///
/// Needs the bucket and the queues.
///
/// Exit codes: 0 if every message was sent, 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The beginning of the keys: raw/, transformed/, or a longer prefix below them
    prefix: String,
    /// Only objects written at or after this time by the clock of S3: 2024-12-30, 2024-12-30T22:00:00Z, or how long ago
    /// (2h, 3d)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Moment>,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON: {"dry_run", "keys": [...], "queues": {ROLE: messages}, "older": objects skipped by --since}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Replayed {
    dry_run: bool,
    keys: Vec<String>,
    /// Messages sent, by role of the queue.
    queues: BTreeMap<String, u64>,
    /// Objects that --since skipped.
    older: u64,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let prefix = checked(&args.prefix)?;
    let deployment = place.running().await?;
    let since = args.since.map(|since| since.resolve(Timestamp::now()));
    let mut listing = deployment.aws.store(deployment.env.bucket()?).listing(&prefix);
    let mut replayed = Replayed { dry_run: args.dry_run, ..Replayed::default() };
    loop {
        let listed = listing.chunk(CHUNK).await?;
        if listed.is_empty() {
            break;
        }
        let chosen = replayed.choose(listed, since);
        if !args.dry_run {
            replayed.count(s3_events::send(&deployment, &chosen).await?);
        }
    }
    show(&prefix, &replayed, args.json)
}

/// Completes a prefix with a slash, and checks that S3 notifies a queue of its keys.
fn checked(prefix: &str) -> anyhow::Result<String> {
    let topology = Topology::built_in();
    let full = if prefix.contains('/') { prefix.to_owned() } else { format!("{prefix}/") };
    if topology.role_of_key(&full).is_none() {
        let raw = &topology.prefixes.raw;
        let transformed = &topology.prefixes.transformed;
        bail!(
            "no queue is notified of objects under {prefix:?}: give a prefix that begins with {raw} or {transformed}"
        );
    }
    Ok(full)
}

impl Replayed {
    /// Counts the listed objects, and returns those to send. Files that tools leave are skipped.
    fn choose(&mut self, listed: Vec<ObjectInfo>, since: Option<Timestamp>) -> Vec<ObjectInfo> {
        let (chosen, older): (Vec<_>, Vec<_>) = listed
            .into_iter()
            .filter(|object| !is_leftover(&object.key))
            .partition(|object| since.is_none_or(|since| object.last_modified >= since));
        self.older += older.len() as u64;
        self.keys.extend(chosen.iter().map(|object| object.key.clone()));
        chosen
    }

    fn count(&mut self, sent: BTreeMap<String, u64>) {
        for (role, count) in sent {
            *self.queues.entry(role).or_default() += count;
        }
    }
}

fn show(prefix: &str, replayed: &Replayed, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        terminal::json(replayed)?;
        return Ok(ExitCode::SUCCESS);
    }
    replayed.keys.iter().for_each(|key| terminal::result(key));
    let count = replayed.keys.len();
    let older = replayed.older;
    let verb = if replayed.dry_run { "would be replayed (a dry run: nothing was sent)" } else { "replayed" };
    terminal::result(&format!("{count} objects under {prefix} {verb}; {older} are older than --since"));
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, written: &str) -> ObjectInfo {
        let key = key.to_owned();
        let etag = "e".to_owned();
        let version_id = None;
        let metadata = BTreeMap::new();
        ObjectInfo { key, etag, version_id, size: 1, last_modified: written.parse().unwrap(), metadata }
    }

    #[test]
    fn only_a_prefix_that_a_queue_hears_of_is_taken() {
        assert_eq!(checked("raw").unwrap(), "raw/");
        assert_eq!(checked("transformed/interval=1day/").unwrap(), "transformed/interval=1day/");
        for prefix in ["", "/", "reports/", "ra", "rawer/x"] {
            assert!(checked(prefix).unwrap_err().to_string().contains("begins with raw/"), "{prefix}");
        }
    }

    #[test]
    fn what_is_older_is_left_out_and_counted() {
        let mut replayed = Replayed::default();
        let listed = vec![
            object("raw/a", "2024-12-30T00:00:00Z"),
            object("raw/b", "2024-12-29T23:59:59Z"),
            object("raw/folder/", "2024-12-30T00:00:00Z"),
        ];
        let chosen = replayed.choose(listed, Some("2024-12-30T00:00:00Z".parse().unwrap()));
        assert_eq!((chosen.len(), replayed.keys.as_slice(), replayed.older), (1, ["raw/a".to_owned()].as_slice(), 1));
    }
}
