//! The HTTP server of the simulator.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::post;
use bytes::Bytes;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api::time_series;
use crate::batch;
use crate::control;
use crate::credits::Usage;
use crate::reply::{Delivery, Reply};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::simulator::Simulator;

/// How long open requests may take after shutdown begins.
const GRACE: Duration = Duration::from_secs(2);

/// How long after the first half of a body the connection is cut, so that this half is sent.
const CUT_AFTER: Duration = Duration::from_millis(50);

const ERROR_PAGE: &str =
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>";

/// Serves the API on `listener` until `shutdown` completes, then gives open requests two seconds to finish.
pub async fn serve(listener: TcpListener, settings: Settings, shutdown: impl Future<Output = ()>) -> Result<()> {
    let simulator = Simulator::new(&settings).context("set up simulator")?;
    let shared = Arc::new(Shared { simulator, clock: settings.clock });
    let address = listener.local_addr().context("read address of listener")?;
    let stop = CancellationToken::new();
    let server = axum::serve(listener, routes(shared)).with_graceful_shutdown(stop.clone().cancelled_owned());
    tracing::info!("TwelveData simulator listens on http://{address}");
    let stopped = async {
        shutdown.await;
        stop.cancel();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server => served.context("serve requests"),
        () = stopped => Ok(()),
    }
}

fn routes(shared: Arc<Shared>) -> Router {
    control::routes().route("/batch", post(answer_batch)).fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let request = batch::request(&uri, header_key(&headers));
    let reply = shared.simulator.answer(&request, shared.clock.at(Timestamp::now()));
    deliver(reply).await
}

async fn answer_batch(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let reply = batch::answer(&shared.simulator, &body, header_key(&headers), shared.clock.at(Timestamp::now()));
    deliver(reply).await
}

/// Returns the key of a header `Authorization: apikey KEY`.
fn header_key(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("apikey").then(|| key.trim())
}

async fn deliver(reply: Reply) -> Response<Body> {
    tokio::time::sleep(reply.delay).await;
    let mut response = match reply.delivery {
        Delivery::Html(_) => response_of_type("text/html; charset=utf-8", ERROR_PAGE),
        Delivery::Intact => full_response(&reply.body),
        Delivery::Cut => cut(full_response(&reply.body)).await,
    };
    *response.status_mut() = StatusCode::from_u16(reply.wire_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set_headers(response.headers_mut(), reply.is_batch, reply.usage);
    response
}

/// The media types have no parameters, because the official Python client recognizes CSV only by exactly `text/csv`.
fn full_response(body: &time_series::Body) -> Response<Body> {
    match body {
        // Serializing a document with string keys to memory cannot fail.
        time_series::Body::Json(answer) => {
            response_of_type("application/json", serde_json::to_vec(answer).unwrap_or_default())
        }
        time_series::Body::Csv(text) => response_of_type("text/csv", text.clone()),
    }
}

fn response_of_type(media_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Announces the full length of a response but cuts the connection after half of its body.
async fn cut(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let half = bytes.slice(..bytes.len() / 2);
    let breaking = stream::once(async {
        tokio::time::sleep(CUT_AFTER).await;
        Err(std::io::Error::other("cut on demand"))
    });
    Response::from_parts(head, Body::from_stream(stream::iter([Ok(half)]).chain(breaking)))
}

fn set_headers(headers: &mut HeaderMap, is_batch: bool, usage: Option<Usage>) {
    if is_batch {
        headers.insert("is_batch", HeaderValue::from_static("true"));
    }
    if let Some(usage) = usage {
        headers.insert("api-credits-used", HeaderValue::from(usage.used));
        headers.insert("api-credits-left", HeaderValue::from(usage.left));
    }
}
