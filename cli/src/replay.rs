//! `candlewick replay`: has objects go their way again.

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
use crate::{events, terminal};

/// How many objects are listed and sent at a time.
const CHUNK: usize = 500;

/// Has the current objects under a prefix go their way again, as if they had just been written.
///
/// It sends each object's S3 event to the queue that hears of its key, ten in a batch. Nothing is uploaded, and doing it
/// twice does no harm: what is cleaned or loaded already is recognised. Use it after a change of the cleaning rules (raw/) or
/// of the database (transformed/); for messages that got lost, `reconcile` finds out by itself what is missing.
///
/// Exit code: 0 when all is sent, 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the keys begin with: raw/, transformed/, or more of a key
    prefix: String,
    /// Only objects written since: 2024-12-30, 2024-12-30T22:00:00Z, or how long ago (2h, 3d), by the store's clock
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Moment>,
    /// Tell what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON: {"dry_run", "keys": [...], "queues": {ROLE: messages}, "older": objects left out by --since}
    #[arg(long)]
    json: bool,
}

/// What was sent, or would be.
#[derive(Debug, Default, Serialize)]
struct Replayed {
    dry_run: bool,
    /// The keys of the objects.
    keys: Vec<String>,
    /// How many messages went to which queue.
    queues: BTreeMap<String, u64>,
    /// How many objects were written before the time asked for.
    older: u64,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let prefix = checked(&args.prefix)?;
    let running = place.running().await?;
    let since = args.since.map(|since| since.told(Timestamp::now()));
    let mut listing = running.aws.store(running.env.bucket()?).listing(&prefix);
    let mut replayed = Replayed { dry_run: args.dry_run, ..Replayed::default() };
    loop {
        let listed = listing.chunk(CHUNK).await?;
        if listed.is_empty() {
            break;
        }
        let chosen = replayed.choose(listed, since);
        if !args.dry_run {
            replayed.count(events::send(&running, &chosen).await?);
        }
    }
    show(&prefix, &replayed, args.json)
}

/// A prefix that some queue hears of, whole.
fn checked(prefix: &str) -> anyhow::Result<String> {
    let topology = Topology::built_in();
    let whole = if prefix.contains('/') { prefix.to_owned() } else { format!("{prefix}/") };
    if topology.role_of_key(&whole).is_none() {
        let raw = &topology.prefixes.raw;
        let transformed = &topology.prefixes.transformed;
        bail!("no queue hears of objects under {prefix:?}: give a prefix that begins with {raw} or {transformed}");
    }
    Ok(whole)
}

impl Replayed {
    /// Takes note of what is listed, and returns what is to be sent. What a tool left is no object.
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
