//! Reads expected and actual candles by session, and gaps.

use candlewick_shared::adapters::database::{SqlDate, instant};
use candlewick_shared::core::calendar::calendars::Calendars;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;
use crate::query::candles::Range;
use crate::query::page::{Page, Paged};
use crate::read::calendars::by_code;
use crate::read::overview::{self, Overview};
use crate::sessions::{self, Actual, SessionCount};

/// The sessions of a series.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Sessions)]
pub struct SeriesSessions {
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// The calendar that determines the expected candles; null if the series has no known calendar.
    pub calendar: Option<String>,
    /// The sessions, ascending; empty without a calendar.
    pub sessions: Vec<SessionCount>,
    /// The calendar's error message if it does not cover today.
    pub horizon: Option<String>,
}

/// The number of candles per date and series, by dates in the market's time zone.
const COUNTS: &str = "select w.place, (c.time at time zone w.zone)::date as date, count(*)::int4 as candles,
        (count(*) filter (where c.is_filled))::int4 as filled
    from unnest($1::text[], $2::text[], $3::text[]) with ordinality as w (symbol, interval, zone, place)
    join candles c on c.symbol = w.symbol and c.interval = w.interval
        and c.time between $4 and $5
    group by 1, 2";

/// The sessions of some series in the last `days` days.
pub async fn of(app: &App, some: &[Overview], days: u32) -> Result<Vec<SeriesSessions>, Problem> {
    let now = (app.now)().as_second();
    let from = first_day(now, days);
    let calendars = app.calendars().await;
    let counted = counts(&app.pool, &calendars, some, from, now).await?;
    let sessions = |(overview, actual)| sessions_of(overview, &calendars, from, now, &actual);
    Ok(some.iter().zip(counted).map(sessions).collect())
}

/// The sessions of one series; `None` if there is no such series.
pub async fn one(app: &App, series: &Series, days: u32) -> Result<Option<SeriesSessions>, Problem> {
    match overview::one(app, series).await? {
        Some(overview) => Ok(of(app, &[overview], days).await?.pop()),
        None => Ok(None),
    }
}

fn sessions_of(overview: &Overview, calendars: &Calendars, from: i64, now: i64, actual: &Actual) -> SeriesSessions {
    let none = SeriesSessions {
        symbol: overview.symbol.clone(),
        interval: overview.interval.clone(),
        calendar: overview.calendar.clone(),
        sessions: Vec::new(),
        horizon: None,
    };
    let calendar = by_code(calendars, overview.calendar.as_deref());
    let (Some(calendar), Ok(interval)) = (calendar, overview.interval.parse::<Interval>()) else { return none };
    match sessions::sessions(calendar, interval, from, now, actual) {
        Ok(sessions) => SeriesSessions { sessions, ..none },
        Err(horizon) => SeriesSessions { horizon: Some(horizon.to_string()), ..none },
    }
}

/// The midnight `days` days before now, so that the first session is complete.
fn first_day(now: i64, days: u32) -> i64 {
    const DAY: i64 = 86_400;
    now.div_euclid(DAY) * DAY - i64::from(days) * DAY
}

fn zone(calendars: &Calendars, overview: &Overview) -> &'static str {
    let calendar = by_code(calendars, overview.calendar.as_deref());
    overview.interval.parse().map_or("UTC", |interval| sessions::zone_name(calendar, interval))
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
    let query = sqlx::query_as(COUNTS)
        .bind(texts(|series| &series.symbol))
        .bind(texts(|series| &series.interval))
        .bind(some.iter().map(|series| zone(calendars, series)).collect::<Vec<_>>())
        .bind(instant(from))
        .bind(instant(now));
    let rows: Vec<(i64, SqlDate, i32, i32)> = query.fetch_all(pool).await?;
    let mut all = vec![Actual::new(); some.len()];
    for (place, date, candles, filled) in rows {
        let place = usize::try_from(place).unwrap_or_default();
        if let Some(actual) = all.get_mut(place.wrapping_sub(1)) {
            actual.insert(date.to_jiff(), (candles.unsigned_abs(), filled.unsigned_abs()));
        }
    }
    Ok(all)
}

/// A run of consecutive vacant slots that were left vacant.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize, ToSchema)]
#[schema(as = Gap)]
pub struct SlotGap {
    /// The time of the first slot: a date, or an instant for intraday candles.
    pub first: String,
    /// The time of the last slot.
    pub last: String,
    /// The number of slots.
    pub slots: i64,
    /// Why they were left vacant: `too_long`, `edge`, `horizon`, `quarantined`, `left_vacant`.
    pub fate: String,
}

const GAPS: &str =
    "select gap->>'first' as first, gap->>'last' as last, (gap->>'slots')::bigint as slots, gap->>'fate' as fate
    from objects o join quality q on q.object_id = o.id, jsonb_array_elements(q.report->'gaps') as gap
    where o.symbol = $1 and o.interval = $2 and gap->>'fate' <> 'filled' and gap->>'last' >= $3 and gap->>'first' <= $4
    order by first limit 1000";

/// The gaps of a series within a range, ascending: the first thousand.
pub async fn gaps(pool: &PgPool, series: &Series, range: Range) -> sqlx::Result<Vec<SlotGap>> {
    // Times of the same format sort like their texts.
    let text = |seconds| CandleTime::from_seconds(seconds).display(series.interval).to_string();
    let query = sqlx::query_as(GAPS)
        .bind(series.symbol.as_str())
        .bind(series.interval.as_str())
        .bind(text(range.from.max(0)))
        .bind(text(range.to));
    query.fetch_all(pool).await
}

/// A gap with its series.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct SeriesGap {
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub gap: SlotGap,
}

const ALL_GAPS: &str =
    "select o.symbol, o.interval, gap->>'first' as first, gap->>'last' as last, (gap->>'slots')::bigint as slots,
        gap->>'fate' as fate
    from objects o join quality q on q.object_id = o.id, jsonb_array_elements(q.report->'gaps') as gap
    where gap->>'fate' <> 'filled' and position(upper($1) in upper(o.symbol)) > 0
    order by gap->>'last' desc, o.symbol, o.interval, gap->>'first' offset $2 limit $3";

/// The gaps of all series, newest first.
pub async fn all_gaps(pool: &PgPool, search: &str, paged: &Paged) -> sqlx::Result<Page<SeriesGap>> {
    let query = sqlx::query_as(ALL_GAPS).bind(search.trim()).bind(paged.skipped()).bind(paged.one_more());
    Ok(Page::counted(query.fetch_all(pool).await?, paged))
}
