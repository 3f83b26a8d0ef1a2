//! How far each series is on its way: asked for, fetched, transformed, loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use candlewick_localstack::progress::Reporter;
use candlewick_localstack::stack::{BUCKET, Running};
use candlewick_shared::core::key::{RawKey, Series, TransformedKey};
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::store::{ObjectInfo, ObjectStore};
use sqlx::Row;
use tokio::time::Instant;

use crate::dead_letters::{self, DeadLetter};
use crate::status;

/// How often the stages are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// How long empty queues may stand beside a series that is nowhere, before it is said that nothing came.
const SILENCE: Duration = Duration::from_secs(10);

/// How far a series is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing came of it yet.
    Asked,
    /// Its raw objects are there.
    Fetched,
    /// Its clean objects are there.
    Transformed,
    /// All that its clean objects say is in the database.
    Loaded,
    /// It stands in a dead-letter queue, for this reason.
    Failed(String),
}

/// Where every series stands.
pub type Stages = BTreeMap<Series, Stage>;

/// Follows series until all are loaded or failed, telling of each as it gets on, and returns where each ended.
pub async fn until_settled(
    running: &Running,
    expected: &BTreeSet<Series>,
    progress: &Reporter,
) -> anyhow::Result<Stages> {
    let mut last = Stages::new();
    let mut settled = 0;
    let mut silent_since = Instant::now();
    loop {
        let (stages, busy) = look(running, expected).await?;
        tell(&last, &stages, progress);
        let through = stages.values().all(|stage| *stage >= Stage::Loaded);
        settled = if through && !busy { settled + 1 } else { 0 };
        if busy || stages != last {
            silent_since = Instant::now();
        }
        last = stages;
        // Twice, because a notification can be on its way between an object and its queue.
        if settled == 2 || silent_since.elapsed() > SILENCE {
            return Ok(last);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The stages of the expected series, and whether any queue has work.
async fn look(running: &Running, expected: &BTreeSet<Series>) -> anyhow::Result<(Stages, bool)> {
    let store = running.aws.store(BUCKET);
    let env = running.addresses.env();
    let (waiting, letters) = status::messages(&running.aws, &env).await?;
    let busy = waiting > 0;
    let prefixes = &Topology::built_in().prefixes;
    let seen = Seen {
        raw: by_series(&store.list(&prefixes.raw).await?, |key| Some(key.parse::<RawKey>().ok()?.path.series)),
        transformed: by_series(&store.list(&prefixes.transformed).await?, |key| {
            Some(key.parse::<TransformedKey>().ok()?.path.series)
        }),
        loaded: loaded(running).await?,
        dead: dead(running, letters > 0).await?,
    };
    Ok((expected.iter().map(|series| (series.clone(), seen.stage(series))).collect(), busy))
}

/// What there is at every stage: objects with their entity tags, by series.
struct Seen {
    raw: BTreeMap<Series, Vec<(String, String)>>,
    transformed: BTreeMap<Series, Vec<(String, String)>>,
    loaded: BTreeSet<(String, String)>,
    dead: Vec<DeadLetter>,
}

impl Seen {
    fn stage(&self, series: &Series) -> Stage {
        if let Some(letter) = self.dead.iter().find(|letter| letter.series.as_ref() == Some(series)) {
            return Stage::Failed(format!("{}: {}", letter.stage, letter.reason));
        }
        let raw = self.raw.get(series).map_or(0, Vec::len);
        let transformed = self.transformed.get(series).map(Vec::as_slice).unwrap_or_default();
        match (raw, transformed.len()) {
            (0, 0) => Stage::Asked,
            (raw, transformed) if transformed < raw => Stage::Fetched,
            _ if transformed.iter().all(|version| self.loaded.contains(version)) => Stage::Loaded,
            _ => Stage::Transformed,
        }
    }
}

fn by_series(
    objects: &[ObjectInfo],
    series: impl Fn(&str) -> Option<Series>,
) -> BTreeMap<Series, Vec<(String, String)>> {
    let mut all: BTreeMap<Series, Vec<(String, String)>> = BTreeMap::new();
    for info in objects {
        if let Some(series) = series(&info.key) {
            all.entry(series).or_default().push((info.key.clone(), info.etag.clone()));
        }
    }
    all
}

/// The versions that are loaded: keys with entity tags.
async fn loaded(running: &Running) -> anyhow::Result<BTreeSet<(String, String)>> {
    let rows = sqlx::query("select key, etag from objects where etag is not null").fetch_all(&running.pool).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn dead(running: &Running, any: bool) -> anyhow::Result<Vec<DeadLetter>> {
    if any { dead_letters::look(&running.aws, &running.addresses.env()).await } else { Ok(Vec::new()) }
}

/// Tells of every series that got on, and how many are how far.
fn tell(last: &Stages, now: &Stages, progress: &Reporter) {
    let mut moved = false;
    for (series, stage) in now {
        let before = last.get(series);
        if before == Some(stage) {
            continue;
        }
        moved = true;
        match stage {
            Stage::Loaded => progress.line("loaded", &series.to_string()),
            Stage::Failed(reason) => progress.line("failed", &format!("{series}: {reason}")),
            Stage::Asked | Stage::Fetched | Stage::Transformed => {}
        }
    }
    if moved {
        progress.line("progress", &counts(now));
    }
}

fn counts(stages: &Stages) -> String {
    let reached = |least: &Stage| stages.values().filter(|stage| *stage >= least && **stage <= Stage::Loaded).count();
    let failed = stages.values().filter(|stage| matches!(stage, Stage::Failed(_))).count();
    let fetched = reached(&Stage::Fetched);
    let transformed = reached(&Stage::Transformed);
    let loaded = reached(&Stage::Loaded);
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("of {} series: {fetched} fetched, {transformed} transformed, {loaded} loaded{failed}", stages.len())
}
