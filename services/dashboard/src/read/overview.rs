//! Reads an overview of every series.

use std::collections::BTreeMap;

use candlewick_shared::core::calendar::calendars::Calendars;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use utoipa::ToSchema;

use crate::app::App;
use crate::freshness::{State, freshness};
use crate::problem::Problem;
use crate::read::calendars::by_code;

/// The number of closes in a sparkline.
const SPARK: i64 = 60;

/// A series of the store, of the watchlist, or of both. Prices are exact decimals, as text.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Overview {
    /// The symbol of the instrument.
    #[schema(example = "AAPL")]
    pub symbol: String,
    /// The interval of the candles.
    #[schema(example = "1day")]
    pub interval: String,
    /// The number of candles.
    pub candles: i64,
    /// The time of the first candle: a date, or an instant for intraday candles.
    pub first: Option<String>,
    /// The time of the last candle.
    pub last: Option<String>,
    /// The last close.
    #[schema(example = "252.20000")]
    pub close: Option<String>,
    /// The difference between the last close and the previous one.
    pub change: Option<String>,
    /// The same difference in percent of the previous close, to two places.
    pub change_percent: Option<String>,
    /// The last sixty closes as rounded numbers, for a sparkline.
    pub spark: Vec<f64>,
    /// The group in the watchlist; null if the series is not on the watchlist.
    pub group: Option<String>,
    /// How many seconds the next candle has been due, by the calendar.
    pub behind_seconds: Option<i64>,
    /// The state that follows from `behind_seconds` and the allowed time.
    pub state: State,
    /// The age of the last candle in seconds.
    pub age_seconds: Option<i64>,
    /// The number of vacant slots that were left vacant.
    pub gaps: i64,
    /// The number of rows that cleaning quarantined.
    pub quarantined: i64,
    /// The number of candles that cleaning filled in.
    pub filled: i64,
    /// Why the newest version of one of its objects could not be loaded.
    pub error: Option<String>,
    /// The currency of the prices.
    pub currency: Option<String>,
    /// The type of the instrument.
    pub instrument_type: Option<String>,
    /// The exchange's time zone according to the source, or else to the calendar.
    pub timezone: Option<String>,
    /// The calendar against which its candles are checked.
    pub calendar: Option<String>,
    /// When an object of the series was last loaded.
    #[schema(value_type = Option<String>)]
    pub loaded_at: Option<Timestamp>,
}

impl Overview {
    /// Whether the last close is above or below the previous one.
    pub fn direction(&self) -> &'static str {
        match self.change.as_deref() {
            Some(change) if change.starts_with('-') => "down",
            Some(change) if change.bytes().any(|digit| matches!(digit, b'1'..=b'9')) => "up",
            _ => "flat",
        }
    }
}

/// Counts candles by the objects ledger, minus the claims of an object that belong to a newer object.
const SERIES: &str = "with ledger as (
        select o.symbol, o.interval, sum(o.rows_total)::bigint as claims, max(o.error) as error,
               extract(epoch from max(o.loaded_at))::bigint as loaded_at,
               coalesce(sum(q.filled), 0)::bigint as filled, coalesce(sum(q.quarantined), 0)::bigint as quarantined,
               coalesce(sum((select sum((gap->>'slots')::bigint) from jsonb_array_elements(q.report->'gaps') as gap
                             where gap->>'fate' <> 'filled')), 0)::bigint as gaps,
               max(q.report->'calendar'->>'code') as calendar
        from objects o left join quality q on q.object_id = o.id
        where ($1::text is null or o.symbol = $1) and ($2::text is null or o.interval = $2)
        group by o.symbol, o.interval),
    shadowed as (select symbol, interval, count(*) as claims from shadowed_candles group by symbol, interval)
    select l.symbol, l.interval, l.claims - coalesce(s.claims, 0) as candles,
           extract(epoch from recent.times[1])::bigint as last, recent.closes[1]::text as close,
           (recent.closes[1] - recent.closes[2])::text as change,
           round(100 * (recent.closes[1] - recent.closes[2]) / nullif(recent.closes[2], 0), 2)::text as change_percent,
           l.gaps, l.quarantined, l.filled, l.error, i.currency, i.instrument_type, i.timezone, l.calendar, l.loaded_at
    from ledger l
    left join shadowed s using (symbol, interval)
    left join instruments i on i.symbol = l.symbol
    left join lateral (select array_agg(time order by time desc) as times, array_agg(close order by time desc) as closes
                       from (select time, close from candles c where (c.symbol, c.interval) = (l.symbol, l.interval)
                             order by time desc limit 2) as newest) as recent on true";

/// Details that are queried only for the series of one page: their first candles and their last closes.
const DETAILS: &str = "select w.place, extract(epoch from first.time)::bigint as first, recent.closes as spark
    from unnest($1::text[], $2::text[]) with ordinality as w (symbol, interval, place)
    left join lateral (select time from candles c where (c.symbol, c.interval) = (w.symbol, w.interval)
                       order by time limit 1) as first on true
    left join lateral (select array_agg(close::float8 order by time) as closes
                       from (select time, close from candles c where (c.symbol, c.interval) = (w.symbol, w.interval)
                             order by time desc limit $3) as newest) as recent on true";

/// Every series of the store and of the watchlist, by symbol and interval, without the details that [`complete`] adds.
pub async fn all(app: &App) -> Result<Vec<Overview>, Problem> {
    let watchlist = app.watchlist().await?;
    let mut all = BTreeMap::new();
    for overview in read(app, None, None).await? {
        all.insert((overview.symbol.clone(), overview.interval.clone()), overview);
    }
    for (symbol, instrument) in watchlist.iter().flat_map(|watchlist| watchlist.instruments()) {
        for interval in &instrument.intervals {
            let series = Series { symbol: symbol.clone(), interval: *interval };
            let key = (symbol.to_string(), interval.to_string());
            let overview = all.entry(key).or_insert_with(|| nothing(&series));
            overview.group = Some(instrument.group.clone()).filter(|group| !group.is_empty());
        }
    }
    Ok(all.into_values().collect())
}

/// Adds the details that are too slow to query for all series: the first candles and the last closes.
pub async fn complete(pool: &PgPool, some: &mut [Overview]) -> Result<(), Problem> {
    let symbols: Vec<String> = some.iter().map(|series| series.symbol.clone()).collect();
    let intervals: Vec<String> = some.iter().map(|series| series.interval.clone()).collect();
    let rows = sqlx::query(DETAILS).bind(symbols).bind(intervals).bind(SPARK).fetch_all(pool).await?;
    for row in rows {
        let place = usize::try_from(row.try_get::<i64, _>("place")?).unwrap_or_default();
        let Some(series) = some.get_mut(place.wrapping_sub(1)) else { continue };
        let interval = series.interval.parse::<Interval>();
        let first: Option<i64> = row.try_get("first")?;
        let time = |seconds| Some(CandleTime::from_seconds(seconds).display(*interval.as_ref().ok()?).to_string());
        series.first = first.and_then(time);
        series.spark = row.try_get::<Option<Vec<f64>>, _>("spark")?.unwrap_or_default();
    }
    Ok(())
}

/// One series; `None` if it is neither in the store nor on the watchlist.
pub async fn one(app: &App, series: &Series) -> Result<Option<Overview>, Problem> {
    let mut found = read(app, Some(series.symbol.as_str()), Some(series.interval.as_str())).await?;
    complete(&app.pool, &mut found).await?;
    if let Some(found) = found.pop() {
        return Ok(Some(found));
    }
    let watchlist = app.watchlist().await?;
    let listed = watchlist.iter().flat_map(|watchlist| watchlist.series()).any(|listed| listed == *series);
    Ok(listed.then(|| nothing(series)))
}

/// The stored intervals of a symbol, from the shortest to the longest.
pub async fn intervals(pool: &PgPool, symbol: &str) -> sqlx::Result<Vec<Interval>> {
    let query = sqlx::query_scalar("select distinct interval from objects where symbol = $1").bind(symbol);
    let names: Vec<String> = query.fetch_all(pool).await?;
    let mut intervals: Vec<Interval> = names.iter().filter_map(|name| name.parse().ok()).collect();
    intervals.sort_unstable();
    Ok(intervals)
}

async fn read(app: &App, symbol: Option<&str>, interval: Option<&str>) -> Result<Vec<Overview>, Problem> {
    let rows = sqlx::query(SERIES).bind(symbol).bind(interval).fetch_all(&app.pool).await?;
    let now = (app.now)().as_second();
    let calendars = app.calendars().await;
    rows.iter()
        .map(|row| overview(row, &calendars, now, app.stale_after.as_secs()))
        .collect::<sqlx::Result<_>>()
        .map_err(Problem::from)
}

fn overview(row: &PgRow, calendars: &Calendars, now: i64, stale_after: i64) -> sqlx::Result<Overview> {
    let interval: Interval =
        row.try_get::<String, _>("interval")?.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let time = |seconds: i64| CandleTime::from_seconds(seconds).display(interval).to_string();
    let last: Option<i64> = row.try_get("last")?;
    let calendar: Option<String> = row.try_get("calendar")?;
    let market = by_code(calendars, calendar.as_deref());
    let timezone: Option<String> = row.try_get("timezone")?;
    let fresh = freshness(market, interval, last, now, stale_after);
    let loaded_at: Option<i64> = row.try_get("loaded_at")?;
    Ok(Overview {
        symbol: row.try_get("symbol")?,
        interval: interval.to_string(),
        candles: row.try_get("candles")?,
        first: None,
        last: last.map(time),
        close: row.try_get("close")?,
        change: row.try_get("change")?,
        change_percent: row.try_get("change_percent")?,
        spark: Vec::new(),
        group: None,
        behind_seconds: fresh.behind,
        state: fresh.state,
        age_seconds: last.map(|last| (now - last).max(0)),
        gaps: row.try_get("gaps")?,
        quarantined: row.try_get("quarantined")?,
        filled: row.try_get("filled")?,
        error: row.try_get("error")?,
        currency: row.try_get("currency")?,
        instrument_type: row.try_get("instrument_type")?,
        timezone: timezone.or_else(|| market.map(|market| market.timezone().to_owned())),
        calendar,
        loaded_at: loaded_at.and_then(|seconds| Timestamp::from_second(seconds).ok()),
    })
}

/// A series of the watchlist without any data yet.
fn nothing(series: &Series) -> Overview {
    Overview {
        symbol: series.symbol.to_string(),
        interval: series.interval.to_string(),
        candles: 0,
        first: None,
        last: None,
        close: None,
        change: None,
        change_percent: None,
        spark: Vec::new(),
        group: None,
        behind_seconds: None,
        state: State::Empty,
        age_seconds: None,
        gaps: 0,
        quarantined: 0,
        filled: 0,
        error: None,
        currency: None,
        instrument_type: None,
        timezone: None,
        calendar: None,
        loaded_at: None,
    }
}
