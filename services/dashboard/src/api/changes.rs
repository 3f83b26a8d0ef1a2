//! The history of loads, as JSON.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::app::App;
use crate::etag;
use crate::problem::Problem;
use crate::query::Asked;
use crate::query::changes::ChangeQuery;
use crate::query::page::Page;
use crate::read::changes::{self, Load};

/// What changed: the history of loads, newest first
///
/// Each load has the numbers of candles that it added, changed and removed. The history covers 90 days.
#[utoipa::path(get, path = "/changes", tag = "quality", params(ChangeQuery),
    responses((status = 200, body = Page<Load>), (status = 304, description = "The caller has it already")))]
pub async fn list(
    State(app): State<App>,
    Asked(query): Asked<ChangeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    etag::json(&headers, &changes::loads(&app.pool, &query).await?)
}
