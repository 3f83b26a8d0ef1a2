//! What changed.

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

/// What changed: the history of loads, the newest first
///
/// Each with how many candles it added, changed and removed. It goes back 90 days.
#[utoipa::path(get, path = "/changes", tag = "quality", params(ChangeQuery),
    responses((status = 200, body = Page<Load>), (status = 304, description = "The caller has it already")))]
pub async fn list(
    State(app): State<App>,
    Asked(query): Asked<ChangeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    etag::json(&headers, &changes::loads(&app.pool, &query).await?)
}
