//! What happens, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use tokio_stream::wrappers::BroadcastStream;
use utoipa::IntoParams;

use crate::app::App;
use crate::client::Client;
use crate::live::{Change, ChangeId, Event, Hub};
use crate::places::Place;
use crate::problem::Problem;
use crate::query::Asked;

/// How often a silent stream says that it lives: less than what proxies wait for.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Where to go on.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// The last event that was seen, for browsers, which cannot send `Last-Event-ID` with their first request.
    pub after: Option<String>,
}

/// What happens, as it happens
///
/// Server-sent events with JSON: `{"kind":"loaded","symbol":…,"interval":…,"key":…}`, `{"kind":"run",…}`, `{"kind":"alert"}`,
/// and `{"kind":"resync"}` where changes may have been missed. `Last-Event-ID` goes on after an event.
#[utoipa::path(get, path = "/events", tag = "live",
    params(EventQuery, ("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen")),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub async fn events(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    Asked(query): Asked<EventQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seat = app.hub.seat(client.key()).ok_or_else(Problem::too_many_listeners)?;
    // A browser that reconnects by itself knows more than the address that it began with.
    let header = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    let seen = header.or(query.after.as_deref()).map(|id| id.parse().unwrap_or(ChangeId::STRANGE));
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("still here");
    Ok(Sse::new(stream(&app.hub, seat, seen)).keep_alive(keep_alive).into_response())
}

/// It begins with a comment, so that whoever waits for the first byte knows that the stream stands. The seat is taken for as
/// long as there is the stream.
fn stream(
    hub: &Hub,
    seat: Place,
    seen: Option<ChangeId>,
) -> impl Stream<Item = Result<sse::Event, Infallible>> + use<> {
    let (missed, coming) = hub.subscribe(seen);
    // Whoever was too slow for the channel has missed something.
    let coming = BroadcastStream::new(coming).map(|event| event.map_or_else(|_| resync(), |event| sent(&event)));
    let begun = sse::Event::default().comment("listening").retry(Duration::from_secs(2));
    stream::once(async move { begun })
        .chain(stream::iter(missed.iter().map(sent).collect::<Vec<_>>()))
        .chain(coming)
        .take_until(hub.stop.clone().cancelled_owned())
        .map(move |event| {
            let _taken = &seat;
            Ok(event)
        })
}

fn sent(event: &Event) -> sse::Event {
    data(&event.change).id(event.id.to_string())
}

fn resync() -> sse::Event {
    data(&Change::Resync {})
}

/// A change is JSON in any case; what could not be written would mean to look at everything again.
fn data(change: &Change) -> sse::Event {
    let json = serde_json::to_string(change).unwrap_or_else(|_| "{\"kind\":\"resync\"}".to_owned());
    sse::Event::default().data(json)
}
