//! Reads expected and actual candles by session, and gaps.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::calendar::calendars::Calendars;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use jiff::civil::Date;
use serde::Serialize;
use sqlx::{PgPool, Row};
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;
use crate::query::candles::Range;
use crate::query::page::{Page, Paged};
use crate::read::calendars::by_code;
use crate::read::overview::{self, Overview};
use crate::sessions::{self, Actual, Session};

/// The sessions of a series.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Sessions {
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// The calendar that determines the expected candles; null if the series has no known calendar.
    pub calendar: Option<String>,
    /// The sessions, ascending; empty without a calendar.
    pub sessions: Vec<Session>,
    /// The calendar's error message if it does not cover today.
    pub horizon: Option<String>,
}

/// The number of candles per date and series, by dates in the market's time zone.
const COUNTS: &str =
    "select w.place, to_char(c.time at time zone w.zone, 'YYYY-MM-DD') as date, count(*)::int4 as candles,
        (count(*) filter (where c.is_filled))::int4 as filled
    from unnest($1::text[], $2::text[], $3::text[]) with ordinality as w (symbol, interval, zone, place)
    join candles c on c.symbol = w.symbol and c.interval = w.interval
        and c.time between to_timestamp($4) and to_timestamp($5)
    group by 1, 2";

/// The sessions of some series in the last `days` days.
pub async fn of(app: &App, some: &[Overview], days: u32) -> Result<Vec<Sessions>, Problem> {
    let now = (app.now)().as_second();
    let from = first_day(now, days);
    let calendars = app.calendars().await;
    let counted = counts(&app.pool, &calendars, some, from, now).await?;
    let sessions = |(overview, actual)| sessions_of(overview, &calendars, from, now, &actual);
    Ok(some.iter().zip(counted).map(sessions).collect())
}

/// The sessions of one series; `None` if there is no such series.
pub async fn one(app: &App, series: &Series, days: u32) -> Result<Option<Sessions>, Problem> {
    match overview::one(app, series).await? {
        Some(overview) => Ok(of(app, &[overview], days).await?.pop()),
        None => Ok(None),
    }
}

fn sessions_of(overview: &Overview, calendars: &Calendars, from: i64, now: i64, actual: &Actual) -> Sessions {
    let none = Sessions {
        symbol: overview.symbol.clone(),
        interval: overview.interval.clone(),
        calendar: overview.calendar.clone(),
        sessions: Vec::new(),
        horizon: None,
    };
    let calendar = by_code(calendars, overview.calendar.as_deref());
    let (Some(calendar), Ok(interval)) = (calendar, overview.interval.parse::<Interval>()) else { return none };
    match sessions::sessions(calendar, interval, from, now, actual) {
        Ok(sessions) => Sessions { sessions, ..none },
        Err(horizon) => Sessions { horizon: Some(horizon.to_string()), ..none },
    }
}

/// The midnight `days` days before now, so that the first session is complete.
fn first_day(now: i64, days: u32) -> i64 {
    const DAY: i64 = 86_400;
    now.div_euclid(DAY) * DAY - i64::from(days) * DAY
}

/// The time zone of the dates by which candles are counted.
fn zone(calendars: &Calendars, overview: &Overview) -> &'static str {
    let is_intraday = overview.interval.parse::<Interval>().is_ok_and(Interval::is_intraday);
    let calendar = by_code(calendars, overview.calendar.as_deref()).filter(|_| is_intraday);
    calendar.map_or("UTC", Calendar::timezone)
}

/// The counts per date of each series, in the order of the series.
async fn counts(
    pool: &PgPool,
    calendars: &Calendars,
    some: &[Overview],
    from: i64,
    now: i64,
) -> sqlx::Result<Vec<Actual>> {
    let texts = |of: fn(&Overview) -> &str| some.iter().map(|series| of(series).to_owned()).collect::<Vec<_>>();
    let query = sqlx::query(COUNTS)
        .bind(texts(|series| &series.symbol))
        .bind(texts(|series| &series.interval))
        .bind(some.iter().map(|series| zone(calendars, series)).collect::<Vec<_>>())
        .bind(from as f64)
        .bind(now as f64);
    let mut all = vec![Actual::new(); some.len()];
    for row in query.fetch_all(pool).await? {
        let place = usize::try_from(row.try_get::<i64, _>("place")?).unwrap_or_default();
        let date: String = row.try_get("date")?;
        let date: Date = date.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let number = |column: &str| row.try_get::<i32, _>(column).map(i32::unsigned_abs);
        if let Some(actual) = all.get_mut(place.wrapping_sub(1)) {
            actual.insert(date, (number("candles")?, number("filled")?));
        }
    }
    Ok(all)
}

/// A run of consecutive vacant slots that were left vacant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gap {
    /// The time of the first slot: a date, or an instant for intraday candles.
    pub first: String,
    /// The time of the last slot.
    pub last: String,
    /// The number of slots.
    pub slots: i64,
    /// Why they were left vacant: `too_long`, `edge`, `horizon`, `quarantined`, `left_vacant`.
    pub fate: String,
}

const GAPS: &str = "select gap->>'first', gap->>'last', (gap->>'slots')::bigint, gap->>'fate'
    from objects o join quality q on q.object_id = o.id, jsonb_array_elements(q.report->'gaps') as gap
    where o.symbol = $1 and o.interval = $2 and gap->>'fate' <> 'filled' and gap->>'last' >= $3 and gap->>'first' <= $4
    order by 1 limit 1000";

/// The gaps of a series within a range, ascending: the first thousand.
pub async fn gaps(pool: &PgPool, series: &Series, range: Range) -> sqlx::Result<Vec<Gap>> {
    // Times of the same format sort like their texts.
    let text = |seconds| CandleTime::from_seconds(seconds).display(series.interval).to_string();
    let query = sqlx::query_as(GAPS)
        .bind(series.symbol.as_str())
        .bind(series.interval.as_str())
        .bind(text(range.from.max(0)))
        .bind(text(range.to));
    let rows: Vec<(String, String, i64, String)> = query.fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(first, last, slots, fate)| Gap { first, last, slots, fate }).collect())
}

/// A gap with its series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeriesGap {
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    #[serde(flatten)]
    pub gap: Gap,
}

const ALL_GAPS: &str = "select o.symbol, o.interval, gap->>'first', gap->>'last', (gap->>'slots')::bigint, gap->>'fate'
    from objects o join quality q on q.object_id = o.id, jsonb_array_elements(q.report->'gaps') as gap
    where gap->>'fate' <> 'filled' and position(upper($1) in upper(o.symbol)) > 0
    order by gap->>'last' desc, o.symbol, o.interval, gap->>'first' offset $2 limit $3";

/// The gaps of all series, newest first.
pub async fn all_gaps(pool: &PgPool, search: &str, paged: &Paged) -> sqlx::Result<Page<SeriesGap>> {
    let skipped = paged.after.unwrap_or(0).max(0);
    let query = sqlx::query_as(ALL_GAPS).bind(search.trim()).bind(skipped).bind(i64::from(paged.limit()) + 1);
    let rows: Vec<(String, String, String, String, i64, String)> = query.fetch_all(pool).await?;
    let gap = |(symbol, interval, first, last, slots, fate)| SeriesGap {
        symbol,
        interval,
        gap: Gap { first, last, slots, fate },
    };
    let numbered = rows.into_iter().map(gap).zip(skipped + 1..).collect();
    let page = Page::of(numbered, paged, |(_, number): &(SeriesGap, i64)| *number);
    Ok(Page { rows: page.rows.into_iter().map(|(gap, _)| gap).collect(), next: page.next })
}
