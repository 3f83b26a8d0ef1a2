//! The series of the store.

use sqlx::{FromRow, PgExecutor};

use crate::adapters::database::DbTime;
use crate::core::calendar::Calendar;
use crate::core::key::Series;
use crate::core::metadata::Instrument;
use crate::core::watchlist::CleaningSettings;

/// The last candle of a series, and what determines when the next one is due.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct LastCandle {
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// The time of the last candle.
    pub last: Option<DbTime>,
    /// The code of the calendar that cleaning chose.
    pub calendar: Option<String>,
    /// The code of the exchange that the source names.
    pub exchange: Option<String>,
    /// The type of the instrument.
    pub instrument_type: Option<String>,
}

/// A series of the store, with its counts. Prices are exact decimals, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct StoredSeries {
    /// The last candle.
    #[sqlx(flatten)]
    pub newest: LastCandle,
    /// The number of candles.
    pub candles: i64,
    /// The number of candles that cleaning filled in.
    pub filled: i64,
    /// The number of rows that cleaning quarantined.
    pub quarantined: i64,
    /// The number of vacant slots that were left vacant.
    pub gaps: i64,
    /// The time of the first candle.
    pub first: Option<DbTime>,
    /// The last close.
    pub close: Option<String>,
    /// The difference between the last close and the previous one.
    pub change: Option<String>,
    /// The same difference in percent of the previous close, to two places.
    pub change_percent: Option<String>,
    /// Why the newest version of one of its objects could not be loaded.
    pub error: Option<String>,
    /// When an object of the series was last loaded.
    pub loaded_at: Option<DbTime>,
    /// The currency of the prices.
    pub currency: Option<String>,
    /// The time zone of the exchange according to the source.
    pub timezone: Option<String>,
}

impl LastCandle {
    /// The symbol and the interval.
    ///
    /// # Errors
    ///
    /// Returns an error if one of them is not valid.
    pub fn series(&self) -> anyhow::Result<Series> {
        Ok(Series { symbol: self.symbol.parse()?, interval: self.interval.parse()? })
    }

    /// The calendar by which its candles are due: the one that cleaning chose, or else the one that cleaning would
    /// choose with these settings.
    #[must_use]
    pub fn market(&self, settings: Option<&CleaningSettings>) -> Option<&'static Calendar> {
        let defaults = CleaningSettings::default();
        let settings = settings.unwrap_or(&defaults);
        if let Some(code) = &self.calendar {
            return settings.calendars.find(code).ok().flatten();
        }
        let calendar = self.exchange.clone();
        let instrument =
            Instrument { calendar, instrument_type: self.instrument_type.clone(), ..Instrument::default() };
        settings.choose_calendar(&instrument).calendar
    }
}

/// Finding a last candle is one lookup in the primary key, however many candles there are.
const LAST: &str = "select s.symbol, s.interval, s.calendar, i.calendar as exchange, i.instrument_type,
        (select max(time) from candles c where (c.symbol, c.interval) = (s.symbol, s.interval)) as last
    from (select o.symbol, o.interval, max(q.report->'calendar'->>'code') as calendar
          from objects o left join quality q on q.object_id = o.id group by o.symbol, o.interval) s
    left join instruments i using (symbol)";

/// The last candle of each series.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn last_candles(database: impl PgExecutor<'_>) -> sqlx::Result<Vec<LastCandle>> {
    sqlx::query_as(LAST).fetch_all(database).await
}

/// Counts candles by the objects ledger, minus the claims of an object that belong to a newer object: counting the rows
/// of the table would read all of them. Symbols and intervals are parallel lists of the wanted series; null means all.
const SERIES: &str = "with wanted as (select symbol, interval from unnest($1::text[], $2::text[]) as w (symbol, interval)),
    ledger as (
        select o.symbol, o.interval, sum(o.rows_total)::bigint as claims, max(o.error) as error,
               min(o.first_time) as first, max(o.loaded_at) as loaded_at,
               coalesce(sum(q.filled), 0)::bigint as filled, coalesce(sum(q.quarantined), 0)::bigint as quarantined,
               coalesce(sum((select sum((gap->>'slots')::bigint) from jsonb_array_elements(q.report->'gaps') as gap
                             where gap->>'fate' <> 'filled')), 0)::bigint as gaps,
               max(q.report->'calendar'->>'code') as calendar
        from objects o left join quality q on q.object_id = o.id
        where $1::text[] is null or (o.symbol, o.interval) in (select symbol, interval from wanted)
        group by o.symbol, o.interval),
    shadowed as (
        select symbol, interval, count(*) as claims, count(*) filter (where is_filled) as filled
        from shadowed_candles
        where $1::text[] is null or (symbol, interval) in (select symbol, interval from wanted)
        group by symbol, interval)
    select l.symbol, l.interval, l.claims - coalesce(s.claims, 0) as candles, l.filled - coalesce(s.filled, 0) as filled,
           l.quarantined, l.gaps, l.first, recent.times[1] as last, recent.closes[1]::text as close,
           (recent.closes[1] - recent.closes[2])::text as change,
           round(100 * (recent.closes[1] - recent.closes[2]) / nullif(recent.closes[2], 0), 2)::text as change_percent,
           l.error, l.loaded_at, l.calendar, i.calendar as exchange, i.instrument_type, i.currency, i.timezone
    from ledger l
    left join shadowed s using (symbol, interval)
    left join instruments i on i.symbol = l.symbol
    left join lateral (select array_agg(time order by time desc) as times, array_agg(close order by time desc) as closes
                       from (select time, close from candles c where (c.symbol, c.interval) = (l.symbol, l.interval)
                             order by time desc limit 2) as newest) as recent on true
    order by l.symbol, l.interval";

/// Every series of the store, by symbol and interval.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn all(database: impl PgExecutor<'_>) -> sqlx::Result<Vec<StoredSeries>> {
    sqlx::query_as(SERIES).bind(None::<Vec<String>>).bind(None::<Vec<String>>).fetch_all(database).await
}

/// Those of some series that the store has, by symbol and interval.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn some(database: impl PgExecutor<'_>, series: &[Series]) -> sqlx::Result<Vec<StoredSeries>> {
    let symbols: Vec<&str> = series.iter().map(|series| series.symbol.as_str()).collect();
    let intervals: Vec<&str> = series.iter().map(|series| series.interval.as_str()).collect();
    sqlx::query_as(SERIES).bind(symbols).bind(intervals).fetch_all(database).await
}

/// One series, if the store has it.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn one(database: impl PgExecutor<'_>, series: &Series) -> sqlx::Result<Option<StoredSeries>> {
    Ok(some(database, std::slice::from_ref(series)).await?.pop())
}
