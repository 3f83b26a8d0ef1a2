//! The events of loads as JSON, for programs that follow them.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use candlewick_shared::core::loaded_event::{EventCursor, LoadedEvent};
use candlewick_shared::reads::loaded_events::{self, EventPage, EventsError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::etag;
use crate::live::Change;
use crate::problem::Problem;
use crate::query::Asked;
use crate::query::loaded_events::LoadedEventQuery;
use crate::waiting;

/// How often the database is asked: an event appears when older loads are over, and one that fails has no notice.
const LOOK: Duration = Duration::from_secs(2);

/// An event, and the cursor behind it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ListedEvent {
    /// The cursor from which reading goes on after this event.
    #[schema(value_type = i64)]
    pub cursor: EventCursor,
    #[serde(flatten)]
    pub event: LoadedEvent,
}

/// Events of loads, in the order in which they were committed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LoadedEvents {
    /// The events.
    pub events: Vec<ListedEvent>,
    /// The cursor behind them: pass it as `after`.
    #[schema(value_type = i64)]
    pub next: EventCursor,
    /// Whether more events can be read at once.
    pub is_more: bool,
}

/// What loads changed: the events `candles.loaded`
///
/// The oldest first, and those of a series in the order of its loads. Reading on with `next` misses none, and an event that
/// is read twice has the same id. They are kept for the `HISTORY_DAYS` of the loader, which are 90 by default. With `wait`,
/// the answer comes when there is an event, or when that time is over.
#[utoipa::path(get, path = "/events/loaded", tag = "pipeline", params(LoadedEventQuery),
    responses((status = 200, body = LoadedEvents), (status = 304, description = "The caller has it already")))]
pub async fn list(
    State(app): State<App>,
    Asked(query): Asked<LoadedEventQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let cursor = match query.after {
        Some(cursor) => cursor,
        None => loaded_events::newest(&mut *app.pool.acquire().await?).await?,
    };
    let read = || read(&app, cursor, &query);
    let wait = query.wait.unwrap_or_default();
    let concerns = |change: &Change| matches!(change, Change::Loaded { .. });
    let page = waiting::until(&app.hub, concerns, wait, Some(LOOK), read, |page| !page.events.is_empty()).await?;
    let listed = |(cursor, event): (EventCursor, LoadedEvent)| ListedEvent { cursor, event };
    let events = page.events.into_iter().map(listed).collect();
    etag::json(&headers, &LoadedEvents { events, next: page.next, is_more: page.is_more })
}

async fn read(app: &App, cursor: EventCursor, query: &LoadedEventQuery) -> Result<EventPage, Problem> {
    let mut database = app.pool.acquire().await?;
    match loaded_events::after(&mut database, cursor, &query.selection(), query.most()).await {
        Err(EventsError::Database(error)) => Err(error.into()),
        Err(error @ EventsError::Foreign(..)) => Err(Problem::bad_request(format!("after: {error}"))),
        Ok(page) => Ok(page),
    }
}
