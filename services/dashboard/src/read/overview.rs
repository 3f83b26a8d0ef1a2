//! Reads an overview of every series.

use std::collections::BTreeMap;

use candlewick_shared::adapters::database::DbTime;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::due::{Freshness, delay};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::reads::series::{self, StoredSeries};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;

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
    pub state: Freshness,
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
    pub loaded_at: Option<DbTime>,
}

impl Overview {
    fn of(stored: StoredSeries, app: &App, watchlist: Option<&Watchlist>) -> Result<Self, Problem> {
        let invalid = |error| Problem::unavailable(format!("the store has an invalid series: {error:#}"));
        let series = stored.newest.series().map_err(invalid)?;
        let now = (app.now)().as_second();
        let market = stored.newest.market(watchlist.map(|watchlist| watchlist.cleaning(&series.symbol)));
        let last = stored.newest.last.map(|last| last.0.as_second());
        let delay = delay(market, series.interval, last, now, app.stale_after.as_secs());
        let shown = |time: DbTime| CandleTime::from_seconds(time.0.as_second()).display(series.interval).to_string();
        Ok(Self {
            candles: stored.candles,
            first: stored.first.map(shown),
            last: stored.newest.last.map(shown),
            close: stored.close,
            change: stored.change,
            change_percent: stored.change_percent,
            behind_seconds: delay.behind,
            state: delay.freshness,
            age_seconds: last.map(|last| (now - last).max(0)),
            gaps: stored.gaps,
            quarantined: stored.quarantined,
            filled: stored.filled,
            error: stored.error,
            currency: stored.currency,
            instrument_type: stored.newest.instrument_type,
            timezone: stored.timezone.or_else(|| market.map(|market| market.timezone().to_owned())),
            calendar: stored.newest.calendar,
            loaded_at: stored.loaded_at,
            ..Self::empty(&series)
        })
    }

    /// A series without any data yet.
    fn empty(series: &Series) -> Self {
        Self {
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
            state: Freshness::Empty,
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

    /// Whether the last close is above or below the previous one.
    pub fn direction(&self) -> &'static str {
        match self.change.as_deref() {
            Some(change) if change.starts_with('-') => "down",
            Some(change) if change.bytes().any(|digit| matches!(digit, b'1'..=b'9')) => "up",
            _ => "flat",
        }
    }
}

/// The last closes of the series of one page, which are too many to query for all series.
const CLOSES: &str = "select w.place, recent.closes
    from unnest($1::text[], $2::text[]) with ordinality as w (symbol, interval, place)
    cross join lateral (select coalesce(array_agg(close::float8 order by time), '{}') as closes
                        from (select time, close from candles c where (c.symbol, c.interval) = (w.symbol, w.interval)
                              order by time desc limit $3) as newest) as recent";

/// Every series of the store and of the watchlist, by symbol and interval, without the closes that [`add_closes`] adds.
pub async fn all(app: &App) -> Result<Vec<Overview>, Problem> {
    let stored = series::all(&app.pool).await?;
    with_watchlist(app, stored, |_| true).await
}

/// Joins series of the store and those of the watchlist that are wanted, by symbol and interval.
async fn with_watchlist(
    app: &App,
    stored: Vec<StoredSeries>,
    is_wanted: impl Fn(&Series) -> bool,
) -> Result<Vec<Overview>, Problem> {
    let watchlist = app.watchlist().await?;
    let mut all = BTreeMap::new();
    for stored in stored {
        let overview = Overview::of(stored, app, watchlist.as_deref())?;
        all.insert((overview.symbol.clone(), overview.interval.clone()), overview);
    }
    for (symbol, instrument) in watchlist.iter().flat_map(|watchlist| watchlist.instruments()) {
        let of = |interval: &Interval| Series { symbol: symbol.clone(), interval: *interval };
        for series in instrument.intervals.iter().map(of).filter(&is_wanted) {
            let key = (symbol.to_string(), series.interval.to_string());
            let overview = all.entry(key).or_insert_with(|| Overview::empty(&series));
            overview.group = Some(instrument.group.clone()).filter(|group| !group.is_empty());
        }
    }
    Ok(all.into_values().collect())
}

/// Adds the last closes.
pub async fn add_closes(pool: &PgPool, some: &mut [Overview]) -> Result<(), Problem> {
    let symbols: Vec<String> = some.iter().map(|series| series.symbol.clone()).collect();
    let intervals: Vec<String> = some.iter().map(|series| series.interval.clone()).collect();
    let query = sqlx::query_as(CLOSES).bind(symbols).bind(intervals).bind(SPARK);
    let rows: Vec<(i64, Vec<f64>)> = query.fetch_all(pool).await?;
    for (place, closes) in rows {
        let place = usize::try_from(place).unwrap_or_default();
        if let Some(series) = some.get_mut(place.wrapping_sub(1)) {
            series.spark = closes;
        }
    }
    Ok(())
}

/// The wanted series that are in the store or on the watchlist, with their closes.
pub async fn some(app: &App, wanted: &[Series]) -> Result<Vec<Overview>, Problem> {
    let stored = series::some(&app.pool, wanted).await?;
    let mut found = with_watchlist(app, stored, |series| wanted.contains(series)).await?;
    add_closes(&app.pool, &mut found).await?;
    Ok(found)
}

/// One series; `None` if it is neither in the store nor on the watchlist.
pub async fn one(app: &App, series: &Series) -> Result<Option<Overview>, Problem> {
    Ok(some(app, std::slice::from_ref(series)).await?.pop())
}

/// The stored intervals of a symbol, from the shortest to the longest.
pub async fn intervals(pool: &PgPool, symbol: &str) -> sqlx::Result<Vec<Interval>> {
    let query = sqlx::query_scalar("select distinct interval from objects where symbol = $1").bind(symbol);
    let names: Vec<String> = query.fetch_all(pool).await?;
    let mut intervals: Vec<Interval> = names.iter().filter_map(|name| name.parse().ok()).collect();
    intervals.sort_unstable();
    Ok(intervals)
}
