//! Reads candles as database rows: a part of a range, from its start or from its end.

use candlewick_shared::adapters::database::{DbTime, instant};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};

use super::source::Source;
use crate::buckets::{Buckets, Rule, Wanted};
use crate::problem::Problem;
use crate::query::candles::{Range, Take};
use crate::query::fields::Field;

/// How many candles are read or converted before other requests get their turn on the same thread: less than a millisecond's
/// work.
pub const AT_A_TIME: usize = 256;

/// Candles in ascending order, and whether the range has more at the other end.
#[derive(Debug, Default)]
pub struct Rows {
    /// The rows: the time, the prices and the volume as text, and whether cleaning filled in the candle.
    pub rows: Vec<PgRow>,
    pub is_more: bool,
}

/// The columns to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needed([bool; 7]);

impl Needed {
    /// Adds a field.
    pub fn with(mut self, field: Field) -> Self {
        self.0[field as usize] = true;
        self
    }

    fn has(self, field: Field) -> bool {
        self.0[field as usize]
    }

    /// The columns of a SELECT after the time, in the order of [`Field::ALL`].
    fn columns(self, selected: impl Fn(Field) -> &'static str) -> String {
        let column = |field: &Field| if self.has(*field) { selected(*field) } else { absent(*field) };
        Field::ALL[1..].iter().map(column).collect::<Vec<_>>().join(", ")
    }
}

fn absent(field: Field) -> &'static str {
    if field == Field::IsFilled { "null::boolean" } else { "null::text" }
}

fn of_one(field: Field) -> &'static str {
    match field {
        Field::Time => "null",
        Field::Open => "open::text",
        Field::High => "high::text",
        Field::Low => "low::text",
        Field::Close => "close::text",
        Field::Volume => "volume::text",
        Field::IsFilled => "is_filled",
    }
}

/// Merges many candles: the first open, the highest high, the lowest low, the last close and the sum of the volumes.
fn of_many(field: Field) -> &'static str {
    match field {
        Field::Time => "null",
        Field::Open => "(array_agg(open order by time))[1]::text",
        Field::High => "max(high)::text",
        Field::Low => "min(low)::text",
        Field::Close => "(array_agg(close order by time desc))[1]::text",
        Field::Volume => "sum(volume)::text",
        Field::IsFilled => "bool_and(is_filled)",
    }
}

/// The candles of a range, from one of its ends.
pub async fn read(pool: &PgPool, source: &Source, range: Range, take: Take, needed: Needed) -> Result<Rows, Problem> {
    match &source.rule {
        None => Ok(stored(pool, source, range, take, needed).await?),
        Some(rule) => derived(pool, source, rule, range, take, needed).await,
    }
}

const STORED: &str = "select time, {COLUMNS} from {CANDLES}
    where symbol = $1 and interval = $2 and time between $3 and $4
    order by time {ORDER} limit $5";

async fn stored(pool: &PgPool, source: &Source, range: Range, take: Take, needed: Needed) -> sqlx::Result<Rows> {
    let (order, count) = match take {
        Take::First(count) => ("asc", count),
        Take::Last(count) => ("desc", count),
    };
    let sql = STORED.replace("{COLUMNS}", &needed.columns(of_one)).replace("{CANDLES}", &source.candles());
    let sql = sql.replace("{ORDER}", order);
    let query = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(source.series.symbol.as_str())
        .bind(source.stored.as_str())
        .bind(instant(range.from))
        .bind(instant(range.to))
        .bind(i64::try_from(count).unwrap_or(i64::MAX).saturating_add(1));
    // The query reads one row more than requested, which shows whether there are more.
    let mut rows = gathered(query.fetch(pool)).await?;
    let is_more = rows.len() > count;
    rows.truncate(count);
    if matches!(take, Take::Last(_)) {
        rows.reverse();
    }
    Ok(Rows { rows, is_more })
}

/// Collects rows. Other requests get their turn on the same thread meanwhile.
async fn gathered(mut found: BoxStream<'_, sqlx::Result<PgRow>>) -> sqlx::Result<Vec<PgRow>> {
    let mut rows = Vec::new();
    while let Some(row) = found.try_next().await? {
        rows.push(row);
        if rows.len().is_multiple_of(AT_A_TIME) {
            tokio::task::yield_now().await;
        }
    }
    Ok(rows)
}

const EDGES: &str = "select min(time), max(time) from {CANDLES}
    where symbol = $1 and interval = $2 and time between $3 and $4";

/// Longer than the distance from a month's label to its first session, in seconds.
const ROOM: i64 = 40 * 86_400;

/// The first and the last stored candle around a range.
async fn edges(pool: &PgPool, source: &Source, range: Range) -> sqlx::Result<Option<(i64, i64)>> {
    let room = range.widened(ROOM);
    let sql = EDGES.replace("{CANDLES}", &source.candles());
    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(source.series.symbol.as_str())
        .bind(source.stored.as_str())
        .bind(instant(room.from))
        .bind(instant(room.to));
    let (first, last): (Option<DbTime>, Option<DbTime>) = query.fetch_one(pool).await?;
    let seconds = |time: Option<DbTime>| time.map(|time| time.0.as_second());
    Ok(seconds(first).zip(seconds(last)))
}

const DERIVED: &str = "with numbered as (
        select *, width_bucket(time, $5::timestamptz[]) as bucket from {CANDLES}
        where symbol = $1 and interval = $2 and time >= $3 and time < $4)
    select ($6::timestamptz[])[bucket], {COLUMNS} from numbered where bucket > 0 group by bucket order by bucket";

async fn derived(
    pool: &PgPool,
    source: &Source,
    rule: &Rule,
    mut range: Range,
    take: Take,
    needed: Needed,
) -> Result<Rows, Problem> {
    loop {
        let Some(data) = edges(pool, source, range).await? else { return Ok(Rows::default()) };
        let found = buckets(rule, Wanted { labels: (range.from, range.to), data }, take)?;
        let Some((first, last)) = found.buckets.first().zip(found.buckets.last()) else { return Ok(Rows::default()) };
        let rows = put_together(pool, source, &found, first.start, needed).await?;
        if !rows.is_empty() || !found.is_more {
            return Ok(Rows { rows, is_more: found.is_more });
        }
        // These buckets all lie in a gap, so continue after it.
        match take {
            Take::First(_) => range.from = last.label + 1,
            Take::Last(_) => range.to = first.label - 1,
        }
    }
}

fn buckets(rule: &Rule, wanted: Wanted, take: Take) -> Result<Buckets, Problem> {
    let found = match take {
        Take::First(count) => rule.first(wanted, count),
        Take::Last(count) => rule.last(wanted, count),
    };
    found.map_err(|error| Problem::bad_request(error.to_string()))
}

async fn put_together(
    pool: &PgPool,
    source: &Source,
    found: &Buckets,
    from: i64,
    needed: Needed,
) -> sqlx::Result<Vec<PgRow>> {
    let starts: Vec<_> = found.buckets.iter().map(|bucket| instant(bucket.start)).collect();
    let labels: Vec<_> = found.buckets.iter().map(|bucket| instant(bucket.label)).collect();
    let sql = DERIVED.replace("{COLUMNS}", &needed.columns(of_many)).replace("{CANDLES}", &source.candles());
    let query = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(source.series.symbol.as_str())
        .bind(source.stored.as_str())
        .bind(instant(from))
        .bind(instant(Range::ALWAYS.to.min(found.end)))
        .bind(starts)
        .bind(labels);
    gathered(query.fetch(pool)).await
}

/// Groups by row numbers rather than time spans, which would leave empty groups for closed hours.
const MERGED: &str = "with numbered as (
        select *, (row_number() over (order by time) - 1) as number, count(*) over () as all_of_them
        from {CANDLES}
        where symbol = $1 and interval = $2 and time between $3 and $4),
    grouped as (select *, greatest(1, ceil(all_of_them::numeric / $5))::bigint as size from numbered)
    select min(time), {COLUMNS}, min(size) as size, min(all_of_them) as all_of_them
    from grouped group by number / size order by number / size";

/// The candles of a range, merged so that there are at most `points`: the rows, how many candles each row covers, and
/// how many candles the range has.
pub async fn merged(
    pool: &PgPool,
    source: &Source,
    range: Range,
    points: u32,
    needed: Needed,
) -> sqlx::Result<(Vec<PgRow>, i64, i64)> {
    let sql = MERGED.replace("{COLUMNS}", &needed.columns(of_many)).replace("{CANDLES}", &source.candles());
    let query = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(source.series.symbol.as_str())
        .bind(source.stored.as_str())
        .bind(instant(range.from))
        .bind(instant(range.to))
        .bind(i64::from(points));
    let rows = gathered(query.fetch(pool)).await?;
    let number = |column: &str| rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>(column));
    let merged = number("size")?.max(1);
    let in_range = number("all_of_them")?;
    Ok((rows, merged, in_range))
}

/// The time of a row, in seconds since 1970.
pub fn seconds(row: &PgRow) -> sqlx::Result<i64> {
    row.try_get::<DbTime, _>(0).map(|time| time.0.as_second())
}

/// A time in the format of the API.
pub fn text(seconds: i64, interval: Interval) -> String {
    CandleTime::from_seconds(seconds).display(interval).to_string()
}
