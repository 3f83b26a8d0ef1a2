//! The history of loads, as JSON.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::app::App;
use crate::etag;
use crate::problem::Problem;
use crate::query::changes::ChangeQuery;
use crate::query::page::Page;
use crate::query::page::Paged;
use crate::query::{Asked, At};
use crate::read::changes::{self, Load};
use crate::read::load_candles::{self, LoadCandles};

/// What changed: the history of loads, newest first
///
/// Each load has the numbers of candles that it added, changed and removed. The history covers the `HISTORY_DAYS` of the
/// loader, which are 90 by default.
#[utoipa::path(get, path = "/changes", tag = "quality", params(ChangeQuery),
    responses((status = 200, body = Page<Load>), (status = 304, description = "The caller has it already")))]
pub async fn list(
    State(app): State<App>,
    Asked(query): Asked<ChangeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    etag::json(&headers, &changes::loads(&app.pool, &query).await?)
}

/// The candles that a load added, changed and removed
///
/// Changed and removed candles have the values before and after the load.
#[utoipa::path(get, path = "/changes/{id}", tag = "quality", params(("id" = i64, Path), Paged),
    responses((status = 200, body = LoadCandles), (status = 304, description = "The caller has it already")))]
pub async fn candles(
    State(app): State<App>,
    At(id): At<i64>,
    Asked(paged): Asked<Paged>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    etag::json(&headers, &find(&app, id, &paged).await?)
}

pub async fn find(app: &App, id: i64, paged: &Paged) -> Result<LoadCandles, Problem> {
    let found = load_candles::of(&app.pool, id, paged).await?;
    found.ok_or_else(|| Problem::not_found(format!("the history has no load {id}")))
}
