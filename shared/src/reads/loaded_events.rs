//! Events `candles.loaded`, in the order in which loads were committed.

use jiff::Timestamp;
use sqlx::{FromRow, PgConnection, PgExecutor};
use thiserror::Error;

use crate::adapters::database::DbTime;
use crate::core::candle::CandleTime;
use crate::core::interval::Interval;
use crate::core::loaded_event::{EventCursor, Loaded, LoadedEvent, Rows, TYPE, VERSION};
use crate::core::symbol::Symbol;

/// The most events of one page.
pub const MOST: u32 = 1_000;

/// Which events are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those of this symbol, or of every one.
    pub symbol: Option<Symbol>,
    /// Those of this interval, or of every one.
    pub interval: Option<Interval>,
}

/// Events, and where to continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events, each with the cursor behind which the next one is read.
    pub events: Vec<(EventCursor, LoadedEvent)>,
    /// The cursor behind all events that were read or do not match the selection.
    pub next: EventCursor,
    /// Whether more events can be read at once.
    pub is_more: bool,
}

/// The events cannot be read.
#[derive(Debug, Error)]
pub enum EventsError {
    /// No event has this cursor yet, so it is of another database.
    #[error("{0} is a cursor of another database: this one has {1} loads so far; begin with 0")]
    Foreign(EventCursor, i64),
    /// The database does not answer or rejects the query.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The events after a cursor, at most `most` and [`MOST`].
///
/// The loads of a series are in their order. An event appears when no load that began before its own is open, so that reading
/// in order misses none.
///
/// # Errors
///
/// Returns [`EventsError::Foreign`] if the cursor cannot be of this database.
pub async fn after(
    database: &mut PgConnection,
    cursor: EventCursor,
    selection: &Selection,
    most: u32,
) -> Result<EventPage, EventsError> {
    let Horizon { complete, last } = horizon(&mut *database).await?;
    if cursor.0 > last {
        return Err(EventsError::Foreign(cursor, last));
    }
    let most = most.clamp(1, MOST);
    let rows: Vec<EventRow> = sqlx::query_as(AFTER)
        .bind(cursor.0)
        .bind(complete)
        .bind(selection.symbol.as_ref().map(Symbol::as_str))
        .bind(selection.interval.map(Interval::as_str))
        .bind(i64::from(most))
        .fetch_all(database)
        .await?;
    let is_more = rows.len() as u32 == most;
    let events: Vec<_> = rows.into_iter().map(|row| (EventCursor(row.load), row.event())).collect();
    let last = events.last().map_or(cursor, |(cursor, _)| *cursor);
    let next = if is_more { last } else { EventCursor(complete).max(cursor) };
    Ok(EventPage { events, next, is_more })
}

/// The cursor behind all events so far.
///
/// # Errors
///
/// Returns an error if the database does not answer.
pub async fn newest(database: &mut PgConnection) -> sqlx::Result<EventCursor> {
    Ok(EventCursor(horizon(database).await?.complete))
}

/// The events of loads, with the loads' ids, in the order of the ids.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn of_loads(database: impl PgExecutor<'_>, loads: &[i64]) -> sqlx::Result<Vec<(i64, LoadedEvent)>> {
    let rows: Vec<EventRow> = sqlx::query_as(OF_LOADS).bind(loads).fetch_all(database).await?;
    Ok(rows.into_iter().map(|row| (row.load, row.event())).collect())
}

/// A query for events, given what comes after its FROM clause.
macro_rules! events {
    ($rest:literal) => {
        concat!(
            "select l.id as load, l.event_id::text as event_id, l.symbol, l.interval, l.run, o.key, l.etag, l.version_id,
                l.trace_id, l.loaded_at, l.rows_total, l.rows_inserted, l.rows_updated, l.rows_unchanged, l.rows_removed,
                l.first_changed, l.last_changed
            from loads l join objects o on o.id = l.object_id ",
            $rest
        )
    };
}

const AFTER: &str = events!(
    "where l.id > $1 and l.id <= $2
        and ($3::text is null or l.symbol = $3) and ($4::text is null or l.interval = $4)
    order by l.id limit $5"
);

const OF_LOADS: &str = events!("where l.id = any($1) order by l.id");

/// Which loads there are.
struct Horizon {
    /// Every load up to this id is committed or gone.
    complete: i64,
    /// The last id that was taken.
    last: i64,
}

/// Three statements in this order: the last id, the open loads, and then, with a snapshot of its own, the events.
async fn horizon(database: &mut PgConnection) -> sqlx::Result<Horizon> {
    let last = sqlx::query_scalar("select last_load()").fetch_one(&mut *database).await?;
    let complete = sqlx::query_scalar("select loads_are_complete_to($1)").bind(last).fetch_one(database).await?;
    Ok(Horizon { complete, last })
}

/// A row of the table `loads` as an event.
#[derive(FromRow)]
struct EventRow {
    load: i64,
    event_id: String,
    symbol: String,
    interval: String,
    run: Option<String>,
    key: String,
    etag: Option<String>,
    version_id: Option<String>,
    trace_id: Option<String>,
    loaded_at: DbTime,
    rows_total: i64,
    rows_inserted: i64,
    rows_updated: i64,
    rows_unchanged: i64,
    rows_removed: i64,
    first_changed: Option<DbTime>,
    last_changed: Option<DbTime>,
}

impl EventRow {
    fn event(self) -> LoadedEvent {
        let rows = Rows {
            total: self.rows_total,
            added: self.rows_inserted,
            changed: self.rows_updated,
            unchanged: self.rows_unchanged,
            removed: self.rows_removed,
        };
        let time = |time: Option<DbTime>| time.map(|time| time_text(time.0, &self.interval));
        let from = time(self.first_changed);
        let to = time(self.last_changed);
        let data = Loaded {
            symbol: self.symbol,
            interval: self.interval,
            run: self.run,
            key: self.key,
            etag: self.etag,
            version_id: self.version_id,
            rows,
            from,
            to,
            trace_id: self.trace_id,
        };
        LoadedEvent {
            event_type: TYPE.to_owned(),
            version: VERSION,
            id: self.event_id,
            timestamp: self.loaded_at.0,
            data,
        }
    }
}

/// The time of a candle as in clean CSV.
fn time_text(time: Timestamp, interval: &str) -> String {
    let candle = CandleTime::from_seconds(time.as_second());
    interval.parse().map_or_else(|_| time.to_string(), |interval: Interval| candle.display(interval).to_string())
}
