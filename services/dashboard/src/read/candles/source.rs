//! Finds the stored candles of a series: those of its own interval, or of a shorter one from which its candles are
//! derived.

use std::collections::BTreeMap;

use candlewick_shared::adapters::database::{DbTime, ToSqlx};
use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::calendar::calendars::Calendars;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use jiff::Timestamp;
use sqlx::PgPool;

use crate::buckets::{self, Rule};
use crate::problem::Problem;
use crate::query::candles::Moment;
use crate::read::calendars::by_code;

/// The stored candles from which the candles of a series are read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The requested series.
    pub series: Series,
    /// The interval of the stored candles.
    pub stored: Interval,
    /// How the requested candles are derived from stored ones; `None` if they are stored themselves.
    pub rule: Option<Rule>,
    /// The calendar of the series, if it has one.
    pub calendar: Option<&'static Calendar>,
    /// Changes whenever a candle may have changed: the versions of the objects, and of the calendar if it has been added.
    pub version: String,
    /// The past moment whose candles are read; `None` for the present ones.
    pub as_of: Option<Timestamp>,
}

const STORED: &str =
    "select interval, string_agg(concat_ws(' ', id, etag, raw_written, loaded_at, rows_total), ',' order by id)
    from objects where symbol = $1 group by interval";

const CALENDAR: &str = "select q.report->'calendar'->>'code' from objects o join quality q on q.object_id = o.id
    where o.symbol = $1 and o.interval = $2 order by o.loaded_at desc nulls last limit 1";

/// Since when the history of a series is known, and its last load until a moment.
const LOAD: &str = "select (select since from history_begins where symbol = $1 and interval = $2),
    (select max(id) from loads where symbol = $1 and interval = $2 and loaded_at <= $3)";

/// Finds the source of a series, as it was at a past moment if one is given.
pub async fn find_as_of(pool: &PgPool, series: &Series, as_of: Option<Moment>) -> Result<Source, Problem> {
    let source = find(pool, series).await?;
    let Some(as_of) = as_of.map(Moment::end) else { return Ok(source) };
    let query = sqlx::query_as(LOAD).bind(series.symbol.as_str()).bind(source.stored.as_str()).bind(as_of.to_sqlx());
    let (begins, load): (Option<DbTime>, Option<i64>) = query.fetch_one(pool).await?;
    if let Some(DbTime(begins)) = begins.filter(|begins| as_of < begins.0) {
        return Err(Problem::not_found(format!("as_of: the history of {series} begins at {begins}")));
    }
    Ok(Source { version: format!("{as_of} {}", load.unwrap_or_default()), as_of: Some(as_of), ..source })
}

/// Finds the source of a series.
pub async fn find(pool: &PgPool, series: &Series) -> Result<Source, Problem> {
    let all: Vec<(String, String)> = sqlx::query_as(STORED).bind(series.symbol.as_str()).fetch_all(pool).await?;
    let mut all: BTreeMap<Interval, String> =
        all.into_iter().filter_map(|(interval, version)| Some((interval.parse().ok()?, version))).collect();
    let stored = choose(all.keys().copied(), series.interval);
    let found = stored.and_then(|stored| Some((stored, all.remove(&stored)?)));
    let (stored, version) = found.ok_or_else(|| Problem::not_found(format!("the store has no series {series}")))?;
    Ok(Source { series: series.clone(), stored, rule: None, calendar: None, version, as_of: None })
}

/// The interval itself if it is stored, or the longest one from which it can be derived.
pub fn choose(stored: impl Iterator<Item = Interval>, target: Interval) -> Option<Interval> {
    stored.filter(|stored| *stored == target || buckets::can_derive(*stored, target)).max()
}

/// Whether candles of an interval are stored or can be derived.
pub fn is_readable(stored: &[Interval], target: Interval) -> bool {
    stored.iter().any(|stored| *stored == target || buckets::can_derive(*stored, target))
}

impl Source {
    /// What takes the place of `{CANDLES}` in a statement whose first parameters are the symbol and the stored interval.
    pub fn candles(&self) -> String {
        match self.as_of {
            Some(moment) => format!("candles_as_of($1, $2, '{moment}')"),
            None => "candles".to_owned(),
        }
    }

    /// Whether the candles are derived from stored ones of another interval.
    pub fn is_derived(&self) -> bool {
        self.stored != self.series.interval
    }

    /// Adds the calendar, which derived candles and sessions need. Without a calendar, days start at midnight UTC.
    pub async fn with_calendar(mut self, pool: &PgPool, calendars: &Calendars) -> Result<Self, Problem> {
        let query = sqlx::query_scalar(CALENDAR).bind(self.series.symbol.as_str()).bind(self.stored.as_str());
        let code: Option<Option<String>> = query.fetch_optional(pool).await?;
        self.calendar = by_code(calendars, code.flatten().as_deref().or(Some("24/7")));
        self.version.extend(self.calendar.map(Calendar::version));
        if self.is_derived() {
            let calendar = self.calendar.ok_or_else(|| Problem::unavailable("the calendar cannot be read"))?;
            self.rule = Some(Rule::new(calendar, self.stored, self.series.interval));
        }
        Ok(self)
    }
}
