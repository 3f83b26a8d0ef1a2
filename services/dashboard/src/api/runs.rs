//! Runs as JSON: requests one, and says how far it is. Both answers can wait for what the caller waits for.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use candlewick_shared::reads::runs::{self, RunProgress};

use crate::app::App;
use crate::etag;
use crate::problem::Problem;
use crate::query::runs::{RunPath, RunQuery, RunSeriesQuery, Until};
use crate::query::{Asked, At};
use crate::read::runs::{RunPart, RunSeriesPage};
use crate::requests::{self, RunRequest};
use crate::waiting;

/// How often the bucket is asked whether an object is transformed, which has no notice.
const LOOK_FOR_OBJECTS: Duration = Duration::from_secs(2);

/// Requests a run
///
/// Needs `DASHBOARD_WRITE_TOKEN` as `Authorization: Bearer …`. The same id twice is one run, and spends no second credit. A
/// request whose answer was lost can be repeated with the same id.
#[utoipa::path(post, path = "/runs", tag = "pipeline", request_body = RunRequest,
    responses((status = 202, body = RunProgress, description = "The run, new or known",
        headers(("Location" = String, description = "Where its progress is")))))]
pub async fn request(State(app): State<App>, body: Result<Bytes, BytesRejection>) -> Result<Response, Problem> {
    let request = parse(&body.map_err(|_| Problem::too_large())?)?;
    let run = requests::request(&app, request).await?;
    // Some characters of an id have a meaning in an address.
    let id = serde_urlencoded::to_string([("", &run.id)]).map_err(|error| Problem::bad_request(error.to_string()))?;
    let location = HeaderValue::try_from(format!("/api/v1/runs/{}", id.trim_start_matches('=')));
    let location = location.map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(run)).into_response())
}

/// An empty body asks for everything.
fn parse(body: &[u8]) -> Result<RunRequest, Problem> {
    if body.is_empty() {
        return Ok(RunRequest::default());
    }
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(error.to_string()))
}

/// A run and its progress
///
/// With `wait`, the answer comes when the run has ended, or when that time is over.
#[utoipa::path(get, path = "/runs/{id}", tag = "pipeline", params(("id" = String, Path), RunQuery),
    responses((status = 200, body = RunProgress), (status = 304, description = "The caller has it already")))]
pub async fn one(
    State(app): State<App>,
    At(RunPath { id }): At<RunPath>,
    Asked(query): Asked<RunQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = id.as_str();
    let read = || async { runs::one(&app.pool, id).await?.ok_or_else(|| unknown(id)) };
    let wait = query.wait.unwrap_or_default();
    let run = waiting::until(&app.hub, waiting::of_run(id), wait, None, read, RunProgress::is_ended).await?;
    etag::json(&headers, &run)
}

/// The series of a run
///
/// What became of each, in the order of symbol and interval. With `wait`, the answer comes when each series on the page is
/// settled (`loaded`, `unchanged`, `superseded` or `failed`), or has got as far as `until` says, or when that time is over;
/// `complete` says which.
#[utoipa::path(get, path = "/runs/{id}/series", tag = "pipeline", params(("id" = String, Path), RunSeriesQuery),
    responses((status = 200, body = RunSeriesPage), (status = 304, description = "The caller has it already")))]
pub async fn series(
    State(app): State<App>,
    At(RunPath { id }): At<RunPath>,
    Asked(query): Asked<RunSeriesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = id.as_str();
    let until = query.until.unwrap_or_default();
    let paged = query.paged();
    let read = || async {
        let part = RunPart::read(&app, id, query.symbol.as_ref(), query.interval, &paged).await?;
        part.ok_or_else(|| unknown(id))
    };
    let look = (until == Until::Transformed).then_some(LOOK_FOR_OBJECTS);
    let wait = query.wait.unwrap_or_default();
    let part = waiting::until(&app.hub, waiting::of_run(id), wait, look, read, |part| part.has_reached(until)).await?;
    etag::json(&headers, &part.sent(until))
}

fn unknown(id: &str) -> Problem {
    Problem::not_found(format!("there is no run {id}"))
}
