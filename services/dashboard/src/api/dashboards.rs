//! Dashboards as JSON, the candles of their charts, and how one is saved.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::client::Client;
use crate::dashboards::document::{Document, Kind, Scale, Tile};
use crate::dashboards::files::Expected;
use crate::dashboards::name::Name;
use crate::etag;
use crate::problem::Problem;
use crate::query::At;
use crate::read::dashboards::{self, Entry, Found};
use crate::read::tiles;
use crate::read::variables::Line;

/// The lines of a chart.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChartLines {
    /// The price scale.
    pub scale: Scale,
    /// The line of each variable, in the order of the document.
    pub lines: Vec<Line>,
}

/// A tile of a dashboard, in a path.
#[derive(Clone, Debug, Deserialize)]
pub struct TilePath {
    pub name: Name,
    pub place: usize,
}

/// Every dashboard
///
/// The owner's documents, and a default dashboard for each group of the watchlist that no document replaces.
#[utoipa::path(get, path = "/dashboards", tag = "dashboards",
    responses((status = 200, body = Vec<Entry>), (status = 304, description = "The caller has it already")))]
pub async fn list(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    etag::json(&headers, &dashboards::all(&app).await?)
}

/// One dashboard
#[utoipa::path(get, path = "/dashboards/{name}", tag = "dashboards",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9_-]{0,63}$")),
    responses((status = 200, body = Found), (status = 304, description = "The caller has it already"),
        (status = 422, description = "The document is not valid", body = Problem, content_type = "application/problem+json")))]
pub async fn one(State(app): State<App>, At(name): At<Name>, headers: HeaderMap) -> Result<Response, Problem> {
    etag::json(&headers, &dashboards::one(&app, &name).await?)
}

/// The candles of a chart
///
/// The newest 5000 candles of each variable within the range of the tile, which is numbered from 0.
#[utoipa::path(get, path = "/dashboards/{name}/tiles/{place}/candles", tag = "dashboards",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9_-]{0,63}$"), ("place" = u8, Path, description = "The number of the tile, from 0")),
    responses((status = 200, body = ChartLines), (status = 304, description = "The caller has it already"),
        (status = 422, description = "The document is not valid", body = Problem, content_type = "application/problem+json")))]
pub async fn candles(State(app): State<App>, At(path): At<TilePath>, headers: HeaderMap) -> Result<Response, Problem> {
    let document = dashboards::one(&app, &path.name).await?.document;
    let is_chart = |tile: &&Tile| tile.kind == Kind::Chart;
    let tile = document.tiles.get(path.place).filter(is_chart);
    let tile = tile.ok_or_else(|| Problem::not_found(format!("tile {} of {} is no chart", path.place, path.name)))?;
    let lines = tiles::lines(&app, tile).await?;
    etag::json(&headers, &ChartLines { scale: tile.scale.unwrap_or(Scale::Plain), lines })
}

/// Saves a dashboard
///
/// The body is the TOML document. It takes the header `Edit-Token`. With `If-Match`, the version that the caller read
/// is replaced and no other; with `If-None-Match: *`, none is replaced.
#[utoipa::path(put, path = "/dashboards/{name}", tag = "dashboards",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9_-]{0,63}$"),
        ("Edit-Token" = String, Header, description = "The value of DASHBOARD_EDIT_TOKEN"),
        ("If-Match" = Option<String>, Header, description = "The `version` that is replaced"),
        ("If-None-Match" = Option<String>, Header, description = "`*` if none is replaced")),
    request_body(content = String, content_type = "application/toml"),
    responses((status = 200, body = Found),
        (status = 412, description = "Somebody else saved it meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The document is not valid", body = Problem, content_type = "application/problem+json")))]
pub async fn save(
    State(app): State<App>,
    At(name): At<Name>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let files = app.dashboards.for_saving(client, &headers)?;
    let expected = expected(&headers)?;
    let text = std::str::from_utf8(&body).map_err(|error| Problem::bad_request(format!("the body: {error}")))?;
    let document = Document::parse(text).map_err(|fault| Problem::unprocessable(fault.to_string()))?;
    let saved =
        files.save(&name, text, expected).await.map_err(|error| not_saved(&files.location_of(&name), &error))?;
    let version = saved.ok_or_else(|| Problem::changed(format!("{name} is not as you read it: open it again")))?;
    tracing::info!(client = %client.address, %name, "saved a dashboard");
    let found = Found { name, document, is_default: false, version: Some(version) };
    Ok((StatusCode::OK, Json(found)).into_response())
}

fn expected(headers: &HeaderMap) -> Result<Expected, Problem> {
    let said = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
    match (said(header::IF_MATCH), said(header::IF_NONE_MATCH)) {
        (None, None) => Ok(Expected::Anything),
        (None, Some("*")) => Ok(Expected::Nothing),
        (Some(version), None) => Ok(Expected::Version(version.trim_matches('"').to_owned())),
        _ => Err(Problem::bad_request("write If-Match with a version, or If-None-Match: *")),
    }
}

fn not_saved(location: &str, error: &anyhow::Error) -> Problem {
    tracing::error!("save {location}: {error:#}");
    Problem::unavailable(format!("{location} cannot be written; the log says why"))
}
