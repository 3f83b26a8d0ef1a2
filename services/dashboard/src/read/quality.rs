//! Expected against actual, session by session.

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use jiff::civil::Date;
use serde::Serialize;
use sqlx::{PgPool, Row};
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;
use crate::read::calendars;
use crate::read::overview::{self, Overview};
use crate::sessions::{self, Actual, Session};

/// The sessions of a series.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Sessions {
    /// The instrument.
    pub symbol: String,
    /// The length of its candles.
    pub interval: String,
    /// The calendar that says what to expect; none where none is known.
    pub calendar: Option<String>,
    /// The sessions, ascending; none without a calendar.
    pub sessions: Vec<Session>,
    /// The calendar's own words where it does not reach to today.
    pub horizon: Option<String>,
}

/// How many candles each date has. A session's date is the market's own.
const COUNTS: &str = "select to_char(time at time zone $3, 'YYYY-MM-DD') as date, count(*)::int4 as candles,
        (count(*) filter (where is_filled))::int4 as filled
    from candles
    where symbol = $1 and interval = $2 and time between to_timestamp($4) and to_timestamp($5)
    group by 1";

/// The sessions of every series of the store within so many days before now.
///
/// # Errors
/// A database or a watchlist that cannot be read.
pub async fn all(app: &App, days: u32) -> Result<Vec<Sessions>, Problem> {
    let mut all = Vec::new();
    for overview in overview::all(app).await? {
        all.push(of(app, &overview, days).await?);
    }
    Ok(all)
}

/// The sessions of one series; none where there is no such series.
///
/// # Errors
/// A database or a watchlist that cannot be read.
pub async fn one(app: &App, series: &Series, days: u32) -> Result<Option<Sessions>, Problem> {
    match overview::one(app, series).await? {
        Some(overview) => of(app, &overview, days).await.map(Some),
        None => Ok(None),
    }
}

async fn of(app: &App, overview: &Overview, days: u32) -> Result<Sessions, Problem> {
    let none = Sessions {
        symbol: overview.symbol.clone(),
        interval: overview.interval.clone(),
        calendar: overview.calendar.clone(),
        sessions: Vec::new(),
        horizon: None,
    };
    let calendar = calendars::by_code(overview.calendar.as_deref());
    let (Some(calendar), Ok(interval)) = (calendar, overview.interval.parse::<Interval>()) else { return Ok(none) };
    let now = (app.now)().as_second();
    let from = first_day(now, days);
    let zone = if interval.is_intraday() { calendar.timezone() } else { "UTC" };
    let actual = counts(&app.pool, overview, zone, from, now).await?;
    match sessions::sessions(calendar, interval, from, now, &actual) {
        Ok(sessions) => Ok(Sessions { sessions, ..none }),
        Err(horizon) => Ok(Sessions { horizon: Some(horizon.to_string()), ..none }),
    }
}

/// The midnight so many days before now, so that the first session is whole.
fn first_day(now: i64, days: u32) -> i64 {
    const DAY: i64 = 86_400;
    now.div_euclid(DAY) * DAY - i64::from(days) * DAY
}

async fn counts(pool: &PgPool, overview: &Overview, zone: &str, from: i64, now: i64) -> sqlx::Result<Actual> {
    let query = sqlx::query(COUNTS)
        .bind(&overview.symbol)
        .bind(&overview.interval)
        .bind(zone)
        .bind(from as f64)
        .bind(now as f64);
    let rows = query.fetch_all(pool).await?;
    let count = |row: &sqlx::postgres::PgRow| -> sqlx::Result<(Date, (u32, u32))> {
        let date: String = row.try_get("date")?;
        let date = date.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let number = |column: &str| row.try_get::<i32, _>(column).map(i32::unsigned_abs);
        Ok((date, (number("candles")?, number("filled")?)))
    };
    rows.iter().map(count).collect()
}

/// A run of vacant slots that was left vacant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gap {
    /// The time of the first slot: a date, or an instant for intraday candles.
    pub first: String,
    /// The time of the last slot.
    pub last: String,
    /// How many slots there are.
    pub slots: i64,
    /// Why they were left vacant: `too_long`, `edge`, `horizon`, `quarantined`, `left_vacant`.
    pub fate: String,
}

const GAPS: &str = "select gap->>'first', gap->>'last', (gap->>'slots')::bigint, gap->>'fate'
    from objects o join quality q on q.object_id = o.id, jsonb_array_elements(q.report->'gaps') as gap
    where o.symbol = $1 and o.interval = $2 and gap->>'fate' <> 'filled'
    order by 1 limit 1000";

/// The gaps of a series, ascending: the first thousand.
///
/// # Errors
/// The database's.
pub async fn gaps(pool: &PgPool, series: &Series) -> sqlx::Result<Vec<Gap>> {
    let query = sqlx::query_as(GAPS).bind(series.symbol.as_str()).bind(series.interval.as_str());
    let rows: Vec<(String, String, i64, String)> = query.fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(first, last, slots, fate)| Gap { first, last, slots, fate }).collect())
}
