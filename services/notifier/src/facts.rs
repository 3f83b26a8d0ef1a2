//! Reads what the sweep judges: the database, the dead-letter queues and the watchlist.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::watchlist_source::{NoWatchlist, WatchlistSource};
use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::report::{Gap, Touched};
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::reads::queues;
use candlewick_shared::reads::runs::{self, RunProgress};
use candlewick_shared::reads::series::{self, LastCandle};
use candlewick_shared::runtime::env::Env;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool};

use crate::events::outbox::{self, Waiting};

#[derive(Debug, Default)]
pub struct Facts {
    /// The series of the watchlist that have candles; `None` while the watchlist is invalid, because then it is unknown which
    /// series should be fresh.
    pub series: Option<Vec<SeriesFact>>,
    pub rules: OwnerLimits,
    /// The transformed objects whose cleaning reports show trouble.
    pub objects: Vec<ObjectFact>,
    /// The run that ended last.
    pub run: Option<RunProgress>,
    /// The number of dead letters per queue, by its role.
    pub dead_letters: BTreeMap<String, u64>,
    /// The number of dead letters that each service reported within the retention time of the dead-letter queues.
    pub reported: BTreeMap<String, u64>,
    /// The events that wait for each sink.
    pub events: Vec<Waiting>,
}

/// The owner's limits per instrument.
#[derive(Clone, Debug, Default)]
pub enum OwnerLimits {
    /// There is no watchlist, and the defaults apply.
    #[default]
    Defaults,
    /// The watchlist is invalid. What can wait is not judged.
    Unknown,
    Listed(Arc<Watchlist>),
}

/// A series that should be fresh.
#[derive(Debug)]
pub struct SeriesFact {
    pub series: Series,
    /// The time of its last candle, in Unix seconds.
    pub last: i64,
    pub calendar: Option<&'static Calendar>,
}

/// A transformed object whose cleaning report shows trouble.
#[derive(Debug)]
pub struct ObjectFact {
    pub raw_key: String,
    pub raw_etag: String,
    /// The shares of rows that cleaning quarantined and filled.
    pub touched: Touched,
    /// Includes gaps that were filled.
    pub gaps: Vec<Gap>,
}

#[derive(Clone)]
pub struct Sources {
    pub pool: PgPool,
    pub aws: Aws,
    /// Has the addresses of the queues.
    pub env: Env,
    /// Read again in each sweep.
    pub watchlist: Option<Arc<WatchlistSource>>,
}

impl Sources {
    pub async fn read(&self) -> anyhow::Result<Facts> {
        let mut database = self.pool.acquire().await.context("connect to the database")?;
        let rules = self.rules().await.context("read the watchlist")?;
        Ok(Facts {
            series: series_of(&mut database, &rules).await.context("read the series")?,
            rules,
            objects: objects(&mut database).await.context("read the cleaning reports")?,
            run: runs::newest_ended(&mut *database).await.context("read the runs")?,
            dead_letters: self.dead_letters().await?,
            reported: reported(&mut database).await.context("read the alert events")?,
            events: outbox::waiting(&mut database).await.context("read the event outbox")?,
        })
    }

    async fn rules(&self) -> anyhow::Result<OwnerLimits> {
        let Some(watchlist) = &self.watchlist else { return Ok(OwnerLimits::Defaults) };
        match watchlist.read().await {
            Ok(watchlist) => Ok(OwnerLimits::Listed(watchlist)),
            // The reader raises an alert about it. Everything else is still judged.
            Err(NoWatchlist::Broken { .. } | NoWatchlist::BadCalendar(_)) => Ok(OwnerLimits::Unknown),
            Err(unreachable) => Err(unreachable.into()),
        }
    }

    async fn dead_letters(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        // Queues that the settings do not name cannot be read.
        for role in queues::roles().filter(|role| self.env.queue_url(role).is_ok()) {
            counts.insert(role.to_owned(), queues::dead_letters(&self.aws, &self.env, role).await?);
        }
        Ok(counts)
    }
}

/// Without a watchlist no series needs to be fresh.
async fn series_of(database: &mut PgConnection, rules: &OwnerLimits) -> anyhow::Result<Option<Vec<SeriesFact>>> {
    let watchlist = match rules {
        OwnerLimits::Defaults => return Ok(Some(Vec::new())),
        OwnerLimits::Unknown => return Ok(None),
        OwnerLimits::Listed(watchlist) => watchlist,
    };
    let wanted: BTreeSet<Series> = watchlist.series().collect();
    let rows = series::last_candles(database).await?;
    let facts: anyhow::Result<Vec<_>> = rows.iter().map(|row| fact(row, watchlist)).collect();
    Ok(Some(facts?.into_iter().flatten().filter(|fact| wanted.contains(&fact.series)).collect()))
}

/// A series without a candle cannot be late.
fn fact(row: &LastCandle, watchlist: &Watchlist) -> anyhow::Result<Option<SeriesFact>> {
    let series = row.series()?;
    let Some(last) = row.last else { return Ok(None) };
    let calendar = row.market(Some(watchlist.cleaning(&series.symbol)));
    Ok(Some(SeriesFact { calendar, series, last: last.0.as_second() }))
}

const REPORTED: &str = "select stage, count(*) from alert_events
    where kind in ('dead_letter', 'ingest_failed') and state = 'firing' and received_at > now() - interval '14 days'
    group by stage";

async fn reported(database: &mut PgConnection) -> anyhow::Result<BTreeMap<String, u64>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(REPORTED).fetch_all(database).await?;
    Ok(rows.into_iter().map(|(stage, count)| (stage, count.unsigned_abs())).collect())
}

const OBJECTS: &str =
    "select o.raw_key, coalesce(o.raw_etag, '') as raw_etag, q.report->'touched' as touched, q.report->'gaps' as gaps
    from quality q join objects o on o.id = q.object_id
    where o.raw_key is not null and (q.report @? '$.touched.* ? (@.passed == true)'
                                     or q.report @? '$.gaps[*] ? (@.fate == \"too_long\")')
    order by o.raw_key";

#[derive(FromRow)]
struct ObjectRow {
    raw_key: String,
    raw_etag: String,
    touched: Option<Json<Touched>>,
    gaps: Option<Json<Vec<Gap>>>,
}

async fn objects(database: &mut PgConnection) -> anyhow::Result<Vec<ObjectFact>> {
    let rows: Vec<ObjectRow> = sqlx::query_as(OBJECTS).fetch_all(database).await?;
    Ok(rows.into_iter().map(ObjectRow::fact).collect())
}

impl ObjectRow {
    fn fact(self) -> ObjectFact {
        let touched = self.touched.map(|Json(touched)| touched).unwrap_or_default();
        let gaps = self.gaps.map(|Json(gaps)| gaps).unwrap_or_default();
        ObjectFact { raw_key: self.raw_key, raw_etag: self.raw_etag, touched, gaps }
    }
}
