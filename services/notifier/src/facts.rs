//! What the sweep looks at: the database, the dead-letter queues and the watchlist, as values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::database::SqlTimestamp;
use candlewick_shared::adapters::watchlist_source::{NoWatchlist, WatchlistSource};
use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::calendar::choice;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::report::{Gap, Touched};
use candlewick_shared::core::topology::Topology;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::runtime::env::Env;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool};

use crate::runs::{self, EndedRun};

/// How things are.
#[derive(Debug, Default)]
pub struct Facts {
    /// The series of the watchlist that have candles; none while the watchlist is broken, because nobody knows then which
    /// are to be fresh.
    pub series: Option<Vec<SeriesFact>>,
    /// How much is allowed of each instrument.
    pub rules: Rules,
    /// The clean objects with something to be told of.
    pub objects: Vec<ObjectFact>,
    /// The newest run that ended.
    pub run: Option<EndedRun>,
    /// How many dead letters stand in each queue, by its role.
    pub letters: BTreeMap<String, u64>,
    /// How many dead letters each service told of, for as long as dead-letter queues keep them.
    pub told: BTreeMap<String, u64>,
}

/// What the owner says, as far as it is known.
#[derive(Clone, Debug, Default)]
pub enum Rules {
    /// There is no watchlist: what is usual holds.
    #[default]
    Usual,
    /// The watchlist is broken: what can wait is not judged.
    Unknown,
    /// The watchlist.
    Listed(Arc<Watchlist>),
}

/// A series that is to be kept fresh.
#[derive(Debug)]
pub struct SeriesFact {
    pub series: Series,
    /// The stamp of its last candle, in Unix seconds.
    pub last: i64,
    /// The calendar it goes by.
    pub calendar: Option<&'static Calendar>,
}

/// A clean object of which the report on its cleaning has something to tell.
#[derive(Debug)]
pub struct ObjectFact {
    /// The raw object it was made from.
    pub raw_key: String,
    /// That object's entity tag.
    pub raw_etag: String,
    /// How much of it cleaning touched.
    pub touched: Touched,
    /// Its gaps, filled or not.
    pub gaps: Vec<Gap>,
}

/// Where facts come from.
#[derive(Clone)]
pub struct Sources {
    /// The database.
    pub pool: PgPool,
    /// The queues.
    pub aws: Aws,
    /// Their addresses.
    pub env: Env,
    /// The watchlist, which is looked at in each sweep.
    pub watchlist: Option<Arc<WatchlistSource>>,
}

impl Sources {
    /// Looks at everything.
    pub async fn look(&self) -> anyhow::Result<Facts> {
        let mut database = self.pool.acquire().await.context("connect to the database")?;
        let rules = self.rules().await.context("read the watchlist")?;
        Ok(Facts {
            series: series_of(&mut database, &rules).await.context("read the series")?,
            rules,
            objects: objects(&mut database).await.context("read the reports on cleaning")?,
            run: runs::newest_ended(&mut database).await.context("read the runs")?,
            letters: self.letters().await?,
            told: told(&mut database).await.context("read the events")?,
        })
    }

    async fn rules(&self) -> anyhow::Result<Rules> {
        let Some(watchlist) = &self.watchlist else { return Ok(Rules::Usual) };
        match watchlist.read().await {
            Ok(watchlist) => Ok(Rules::Listed(watchlist)),
            // Whoever reads it tells the owner. All else is looked at, and said, as ever.
            Err(NoWatchlist::Broken { .. }) => Ok(Rules::Unknown),
            Err(unreachable) => Err(unreachable.into()),
        }
    }

    async fn letters(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let topology = Topology::built_in();
        let mut letters = BTreeMap::new();
        for role in topology.queues.keys() {
            // A queue that the settings do not name is none that this notifier can look at.
            let Ok(url) = self.env.queue_url(role) else { continue };
            let depth = self.aws.queue(&topology.dead_letter_name(url)).depth().await?;
            letters.insert(role.clone(), depth.waiting + depth.in_flight);
        }
        Ok(letters)
    }
}

/// Without a watchlist no series is to be fresh.
async fn series_of(database: &mut PgConnection, rules: &Rules) -> anyhow::Result<Option<Vec<SeriesFact>>> {
    let watchlist = match rules {
        Rules::Usual => return Ok(Some(Vec::new())),
        Rules::Unknown => return Ok(None),
        Rules::Listed(watchlist) => watchlist,
    };
    let wanted: BTreeSet<Series> = watchlist.series().collect();
    let rows: Vec<SeriesRow> = sqlx::query_as(SERIES).fetch_all(database).await?;
    let facts: anyhow::Result<Vec<_>> = rows.into_iter().map(|row| row.fact(watchlist)).collect();
    Ok(Some(facts?.into_iter().flatten().filter(|fact| wanted.contains(&fact.series)).collect()))
}

const TOLD: &str = "select stage, count(*) from alert_events
    where kind in ('dead_letter', 'ingest_failed') and state = 'firing' and received_at > now() - interval '14 days'
    group by stage";

async fn told(database: &mut PgConnection) -> anyhow::Result<BTreeMap<String, u64>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(TOLD).fetch_all(database).await?;
    Ok(rows.into_iter().map(|(stage, count)| (stage, count.unsigned_abs())).collect())
}

/// The last candle is one step into the primary key, however many candles there are.
const SERIES: &str = "select s.symbol, s.interval,
    (select max(time) from candles c where (c.symbol, c.interval) = (s.symbol, s.interval)) as last,
    i.calendar, i.instrument_type
    from (select distinct symbol, interval from objects) s left join instruments i using (symbol)";

#[derive(FromRow)]
struct SeriesRow {
    symbol: String,
    interval: String,
    last: Option<SqlTimestamp>,
    calendar: Option<String>,
    instrument_type: Option<String>,
}

impl SeriesRow {
    /// A series without a candle cannot be late.
    fn fact(self, watchlist: &Watchlist) -> anyhow::Result<Option<SeriesFact>> {
        let series = Series { symbol: self.symbol.parse()?, interval: self.interval.parse()? };
        let Some(last) = self.last else { return Ok(None) };
        let Self { calendar, instrument_type, .. } = self;
        let instrument = Instrument { calendar, instrument_type, ..Instrument::default() };
        let setting = watchlist.cleaning(&series.symbol).calendar.as_ref();
        let calendar = choice::choose(setting, &instrument).calendar;
        Ok(Some(SeriesFact { calendar, series, last: last.to_jiff().as_second() }))
    }
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
