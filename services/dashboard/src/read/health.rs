//! The overall health: the states of the series, recent changes, alerts and queues.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use candlewick_shared::reads::runs::{self, RunProgress};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;
use crate::query::listing::{Only, SeriesQuery};
use crate::query::page::{Page, Paged};
use crate::read::alerts::{self, ShownAlert};
use crate::read::changes::{self, Changed};
use crate::read::credits::{self, Credits};
use crate::read::overview::{self, Overview};
use crate::read::queues::WatchedQueue;

/// The maximum number of alerts shown.
const ALERTS: u32 = 50;

/// A page of series, and counts over all series.
#[derive(Clone, Debug)]
pub struct SeriesListing {
    pub page: Page<Overview>,
    /// How many series match the query.
    pub matching: usize,
    /// The counts over all series.
    pub counts: Counts,
    /// The groups of the watchlist, with their sizes.
    pub groups: Vec<(String, usize)>,
}

/// The number of series, and how many of them are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// All series, of the store and of the watchlist.
    pub series: usize,
    /// All candles.
    pub candles: i64,
    /// Series without a due candle, or with one that has been due for a short time only.
    pub fresh: usize,
    /// Series with a late candle.
    pub late: usize,
    /// Series with missing candles.
    pub gaps: usize,
    /// All missing candles.
    pub missing_candles: i64,
    /// Series with an object whose newest version could not be loaded.
    pub failed: usize,
    /// Series without any fetched data yet.
    pub empty: usize,
    /// All candles that cleaning filled in.
    pub filled: i64,
}

impl Counts {
    fn of(all: &[Overview]) -> Self {
        let count = |only: Only| all.iter().filter(|series| only.holds(series)).count();
        Self {
            series: all.len(),
            candles: all.iter().map(|series| series.candles).sum(),
            fresh: count(Only::Fresh),
            late: count(Only::Late),
            gaps: count(Only::Gaps),
            missing_candles: all.iter().map(|series| series.gaps).sum(),
            failed: count(Only::Failed),
            empty: count(Only::Empty),
            filled: all.iter().map(|series| series.filled).sum(),
        }
    }

    /// How many series meet a condition.
    pub fn only(&self, only: impl Borrow<Only>) -> usize {
        match only.borrow() {
            Only::Fresh => self.fresh,
            Only::Late => self.late,
            Only::Gaps => self.gaps,
            Only::Failed => self.failed,
            Only::Empty => self.empty,
        }
    }
}

/// The requested series.
pub async fn listing(app: &App, query: &SeriesQuery) -> Result<SeriesListing, Problem> {
    let all = overview::all(app).await?;
    let counts = Counts::of(&all);
    let groups = groups(&all);
    let mut found: Vec<Overview> = all.into_iter().filter(|series| query.has(series)).collect();
    query.sort.unwrap_or_default().apply(&mut found);
    let matching = found.len();
    let mut page = page(found, query);
    overview::add_closes(&app.pool, &mut page.rows).await?;
    Ok(SeriesListing { page, matching, counts, groups })
}

/// The counts over all series, and the groups of the watchlist with their sizes.
pub async fn counts(app: &App) -> Result<(Counts, Vec<(String, usize)>), Problem> {
    let all = overview::all(app).await?;
    Ok((Counts::of(&all), groups(&all)))
}

fn page(found: Vec<Overview>, query: &SeriesQuery) -> Page<Overview> {
    let paged = Paged { limit: query.limit, after: query.after };
    let skipped = usize::try_from(paged.skipped()).unwrap_or(usize::MAX);
    Page::counted(found.into_iter().skip(skipped).take(paged.limit() as usize + 1).collect(), &paged)
}

fn groups(all: &[Overview]) -> Vec<(String, usize)> {
    let mut sizes = BTreeMap::new();
    for group in all.iter().filter_map(|series| series.group.as_ref()) {
        *sizes.entry(group.clone()).or_insert(0) += 1;
    }
    sizes.into_iter().collect()
}

/// The overall health.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub struct HealthSummary {
    /// The number of series, and how many of them are in each state.
    pub counts: Counts,
    /// What changed in the last day.
    pub changed: Changed,
    /// The firing alerts, newest first.
    pub alerts: Vec<ShownAlert>,
    /// The last run.
    pub run: Option<RunProgress>,
    /// The API credits of today; null if ingest has recorded none.
    pub credits: Option<Credits>,
    /// The number of dead letters; null if the queues cannot be read.
    pub dead_letters: Option<u64>,
    /// The number of waiting messages.
    pub waiting: Option<u64>,
    /// An upper bound for how long the oldest message has been waiting, in seconds.
    pub oldest_at_most_seconds: Option<u64>,
    /// Why the queues cannot be read.
    pub queues_error: Option<String>,
}

/// The overall health, given the counts of the series.
pub async fn health(app: &App, counts: Counts) -> Result<HealthSummary, Problem> {
    let depths = app.queues.depths().await;
    let queues = depths.as_deref().ok();
    let run = runs::newest(&app.pool, 1).await?.pop();
    let now = (app.now)();
    let sum = |of: fn(&WatchedQueue) -> u64| queues.map(|queues| queues.iter().map(of).sum());
    Ok(HealthSummary {
        counts,
        changed: changes::since(&app.pool, yesterday(now)).await?,
        alerts: alerts::firing(&app.pool, ALERTS).await?,
        credits: credits::today(&app.pool, run.as_ref(), now).await?,
        run,
        dead_letters: sum(|queue| queue.depth.dead_letters),
        waiting: sum(|queue| queue.depth.waiting),
        oldest_at_most_seconds: queues.and_then(|queues| queues.iter().filter_map(waited).max()),
        queues_error: depths.as_ref().err().map(ToString::to_string),
    })
}

/// Ignores empty queues, in which no message is waiting.
fn waited(queue: &WatchedQueue) -> Option<u64> {
    queue.oldest_at_most_seconds.filter(|_| queue.depth.waiting > 0)
}

/// 24 hours before now.
pub fn yesterday(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now)
}

/// Whether nothing needs attention.
pub fn is_well(health: &HealthSummary) -> bool {
    let counts = &health.counts;
    counts.late + counts.failed == 0 && health.alerts.is_empty() && health.dead_letters == Some(0)
}
