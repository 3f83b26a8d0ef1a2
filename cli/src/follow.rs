//! Follows series through the pipeline until they are loaded or failed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use candlewick_localstack::progress::Reporter;
use candlewick_localstack::stack::{BUCKET, Running};
use candlewick_shared::core::key::{RawKey, Series, TransformedKey};
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::store::{ObjectInfo, ObjectStore};
use candlewick_shared::reads::dead_letters::DeadLetter;
use tokio::time::Instant;

use crate::status;

/// How often the state is read.
const POLL: Duration = Duration::from_millis(250);

/// How long queues may stay empty without progress before a series that is not settled is given up.
const SILENCE: Duration = Duration::from_secs(10);

/// How far a series got.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeriesState {
    /// No object exists yet.
    Requested,
    /// Its raw objects exist.
    Fetched,
    /// Each of its raw objects has a transformed object.
    Transformed,
    /// The current versions of its transformed objects are in the database.
    Loaded,
    /// A dead letter is about it. The text is the reason.
    Failed(String),
}

pub type SeriesStates = BTreeMap<Series, SeriesState>;

/// Waits until every series is loaded or failed, or nothing happens any more, and reports progress. Returns the last
/// states.
pub async fn until_settled(
    running: &Running,
    expected: &BTreeSet<Series>,
    progress: &Reporter,
) -> anyhow::Result<SeriesStates> {
    let mut last = SeriesStates::new();
    let mut settled = 0;
    let mut silent_since = Instant::now();
    loop {
        let (states, busy) = observe(running, expected).await?;
        report(&last, &states, progress);
        let is_done = states.values().all(|state| *state >= SeriesState::Loaded);
        settled = if is_done && !busy { settled + 1 } else { 0 };
        if busy || states != last {
            silent_since = Instant::now();
        }
        last = states;
        // Twice, because a notification may be between the bucket and its queue.
        if settled == 2 || silent_since.elapsed() > SILENCE {
            return Ok(last);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Reads the states of the expected series, and whether any queue has messages.
async fn observe(running: &Running, expected: &BTreeSet<Series>) -> anyhow::Result<(SeriesStates, bool)> {
    let store = running.aws.store(BUCKET);
    let env = running.addresses.env();
    let (waiting, letters) = status::messages(&running.aws, &env).await?;
    let busy = waiting > 0;
    let prefixes = &Topology::built_in().prefixes;
    let observed = Observed {
        raw: by_series(&store.list(&prefixes.raw).await?, |key| Some(key.parse::<RawKey>().ok()?.path.series)),
        transformed: by_series(&store.list(&prefixes.transformed).await?, |key| {
            Some(key.parse::<TransformedKey>().ok()?.path.series)
        }),
        loaded: loaded(running).await?,
        dead: dead(running, letters > 0).await?,
    };
    Ok((expected.iter().map(|series| (series.clone(), observed.state(series))).collect(), busy))
}

/// Objects are pairs of key and ETag.
struct Observed {
    raw: BTreeMap<Series, Vec<(String, String)>>,
    transformed: BTreeMap<Series, Vec<(String, String)>>,
    loaded: BTreeSet<(String, String)>,
    dead: Vec<DeadLetter>,
}

impl Observed {
    fn state(&self, series: &Series) -> SeriesState {
        if let Some(letter) = self.dead.iter().find(|letter| letter.series.as_ref() == Some(series)) {
            return SeriesState::Failed(format!("{}: {}", letter.stage, letter.reason));
        }
        let raw = self.raw.get(series).map_or(0, Vec::len);
        let transformed = self.transformed.get(series).map(Vec::as_slice).unwrap_or_default();
        match (raw, transformed.len()) {
            (0, 0) => SeriesState::Requested,
            (raw, transformed) if transformed < raw => SeriesState::Fetched,
            _ if transformed.iter().all(|version| self.loaded.contains(version)) => SeriesState::Loaded,
            _ => SeriesState::Transformed,
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

/// Key and ETag of each loaded version.
async fn loaded(running: &Running) -> anyhow::Result<BTreeSet<(String, String)>> {
    let loaded =
        sqlx::query_as("select key, etag from objects where etag is not null").fetch_all(&running.pool).await?;
    Ok(loaded.into_iter().collect())
}

async fn dead(running: &Running, any: bool) -> anyhow::Result<Vec<DeadLetter>> {
    if !any {
        return Ok(Vec::new());
    }
    // One of the owner's consumers that gives up an object says nothing about its series.
    let mut letters = status::letters(&running.aws, &running.addresses.env()).await?;
    letters.retain(|letter| !Topology::current().consumers.contains_key(&letter.role));
    Ok(letters)
}

/// Reports each series that was loaded or failed since the last time, and the counts if anything changed.
fn report(last: &SeriesStates, now: &SeriesStates, progress: &Reporter) {
    let mut changed = false;
    for (series, state) in now {
        let before = last.get(series);
        if before == Some(state) {
            continue;
        }
        changed = true;
        match state {
            SeriesState::Loaded => progress.line("loaded", &series.to_string()),
            SeriesState::Failed(reason) => progress.line("failed", &format!("{series}: {reason}")),
            SeriesState::Requested | SeriesState::Fetched | SeriesState::Transformed => {}
        }
    }
    if changed {
        progress.line("progress", &counts(now));
    }
}

fn counts(states: &SeriesStates) -> String {
    let reached =
        |least: &SeriesState| states.values().filter(|state| *state >= least && **state <= SeriesState::Loaded).count();
    let failed = states.values().filter(|state| matches!(state, SeriesState::Failed(_))).count();
    let fetched = reached(&SeriesState::Fetched);
    let transformed = reached(&SeriesState::Transformed);
    let loaded = reached(&SeriesState::Loaded);
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("of {} series: {fetched} fetched, {transformed} transformed, {loaded} loaded{failed}", states.len())
}
