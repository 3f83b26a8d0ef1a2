//! Changes in the store, as server-sent events.

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

/// The interval of the keep-alive comments of a silent stream, shorter than the idle timeouts of common proxies.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Where to resume the stream.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// The id of the last event received, for browsers, which cannot send `Last-Event-ID` with their first request.
    pub after: Option<String>,
}

/// Events, as they happen
///
/// Server-sent events with JSON data: `{"kind":"loaded","symbol":…,"interval":…,"key":…}`, `{"kind":"run",…}`,
/// `{"kind":"alert"}`, and `{"kind":"resync"}` if changes may have been missed. `Last-Event-ID` resumes after an event.
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
    // A browser that reconnects sends a newer id than the one in its original address.
    let header = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    let seen = header.or(query.after.as_deref()).map(|id| id.parse().unwrap_or(ChangeId::STRANGE));
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("still here");
    Ok(Sse::new(stream(&app.hub, seat, seen)).keep_alive(keep_alive).into_response())
}

/// Starts with a comment, so that a client that waits for the first byte knows that the stream is open. The seat is
/// held until the stream is dropped.
fn stream(
    hub: &Hub,
    seat: Place,
    seen: Option<ChangeId>,
) -> impl Stream<Item = Result<sse::Event, Infallible>> + use<> {
    let (missed, coming) = hub.subscribe(seen);
    // A receiver that lagged behind the channel has missed events.
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

/// Serializing a change cannot fail; if it did, a resync would be correct.
fn data(change: &Change) -> sse::Event {
    let json = serde_json::to_string(change).unwrap_or_else(|_| "{\"kind\":\"resync\"}".to_owned());
    sse::Event::default().data(json)
}
