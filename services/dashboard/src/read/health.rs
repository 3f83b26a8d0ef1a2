//! Whether all is well: every series by its state, what changed, and what waits.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;
use crate::query::listing::{Only, SeriesQuery};
use crate::query::page::{Page, Paged};
use crate::read::alerts::{self, Alert};
use crate::read::changes::{self, Changed};
use crate::read::overview::{self, Overview};
use crate::read::queues::QueueDepth;
use crate::read::runs::{self, Run};

/// How many alerts are shown.
const ALERTS: u32 = 50;

/// A page of series, and how many there are of each kind.
#[derive(Clone, Debug)]
pub struct Listing {
    pub page: Page<Overview>,
    /// How many series match.
    pub matching: usize,
    /// The counts over all series.
    pub counts: Counts,
    /// The groups of the watchlist, with their sizes.
    pub groups: Vec<(String, usize)>,
}

/// How many series there are, and of how many something is true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// All series, of the store and of the watchlist.
    pub series: usize,
    /// All candles.
    pub candles: i64,
    /// Nothing is due, or not for long.
    pub fresh: usize,
    /// A candle is late.
    pub late: usize,
    /// Candles are missing.
    pub gaps: usize,
    /// How many candles are missing.
    pub missing_candles: i64,
    /// The newest version of an object could not be loaded.
    pub failed: usize,
    /// Nothing has been fetched yet.
    pub empty: usize,
    /// How many candles cleaning filled.
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

    /// How many series something is true of.
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

/// The series that are asked for.
pub async fn listing(app: &App, query: &SeriesQuery) -> Result<Listing, Problem> {
    let all = overview::all(app).await?;
    let counts = Counts::of(&all);
    let groups = groups(&all);
    let mut found: Vec<Overview> = all.into_iter().filter(|series| query.has(series)).collect();
    query.sort.unwrap_or_default().apply(&mut found);
    let matching = found.len();
    let mut page = page(found, query);
    overview::complete(&app.pool, &mut page.rows).await?;
    Ok(Listing { page, matching, counts, groups })
}

fn page(found: Vec<Overview>, query: &SeriesQuery) -> Page<Overview> {
    let paged = Paged { limit: query.limit, after: query.after };
    let skipped = usize::try_from(query.after.unwrap_or(0)).unwrap_or(0);
    let rows: Vec<_> = found.into_iter().zip(1_i64..).skip(skipped).take(paged.limit() as usize + 1).collect();
    let page = Page::of(rows, &paged, |(_, number)| *number);
    Page { rows: page.rows.into_iter().map(|(series, _)| series).collect(), next: page.next }
}

fn groups(all: &[Overview]) -> Vec<(String, usize)> {
    let mut sizes = BTreeMap::new();
    for group in all.iter().filter_map(|series| series.group.as_ref()) {
        *sizes.entry(group.clone()).or_insert(0) += 1;
    }
    sizes.into_iter().collect()
}

/// Whether all is well.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Health {
    /// How many series there are, and of how many something is true.
    pub counts: Counts,
    /// What changed in the last day.
    pub changed: Changed,
    /// The alerts that are firing, the newest first.
    pub alerts: Vec<Alert>,
    /// The last run.
    pub run: Option<Run>,
    /// How many dead letters there are; none where the queues do not answer.
    pub dead_letters: Option<u64>,
    /// How many messages wait.
    pub waiting: Option<u64>,
    /// No message has waited for longer than this, in seconds.
    pub oldest_at_most_seconds: Option<u64>,
    /// Why the queues say nothing.
    pub queues_error: Option<String>,
}

/// Whether all is well, given the counts of the series.
pub async fn health(app: &App, counts: Counts) -> Result<Health, Problem> {
    let depths = app.queues.depths().await;
    let queues = depths.as_deref().ok();
    let sum = |of: fn(&QueueDepth) -> u64| queues.map(|queues| queues.iter().map(of).sum());
    Ok(Health {
        counts,
        changed: changes::since(&app.pool, yesterday((app.now)())).await?,
        alerts: alerts::firing(&app.pool, ALERTS).await?,
        run: runs::last(&app.pool, 1).await?.pop(),
        dead_letters: sum(|queue| queue.dead_letters),
        waiting: sum(|queue| queue.waiting),
        oldest_at_most_seconds: queues.and_then(|queues| queues.iter().filter_map(waited).max()),
        queues_error: depths.as_ref().err().map(ToString::to_string),
    })
}

/// A queue with nothing in it waits for nothing.
fn waited(queue: &QueueDepth) -> Option<u64> {
    queue.oldest_at_most_seconds.filter(|_| queue.waiting > 0)
}

/// A day ago.
pub fn yesterday(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now)
}

/// Whether nothing needs anybody.
pub fn is_well(health: &Health) -> bool {
    let counts = &health.counts;
    counts.late + counts.failed == 0 && health.alerts.is_empty() && health.dead_letters == Some(0)
}
