//! The pipeline as JSON: stages, queues, runs, alerts and dead letters.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use candlewick_shared::reads::runs::{self, RunProgress};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::etag;
use crate::problem::Problem;
use crate::query::Asked;
use crate::query::page::{Page, Paged};
use crate::read::alerts::{self, ShownAlert};
use crate::read::health::{self, HealthSummary};
use crate::read::queues::{ShownLetter, Unreachable, WatchedQueue};
use crate::read::stages::{self, Stage};

/// The stages and the queues.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Pipeline {
    /// The stages, in the order in which candles pass through them.
    pub stages: Vec<Stage>,
    /// The queues, by role; null if they cannot be read.
    pub queues: Option<Vec<WatchedQueue>>,
    /// Why the queues cannot be read.
    pub queues_error: Option<String>,
}

/// Whether all is well
///
/// Which series are fresh, late, missing or failed, what changed in the last day, which alerts are firing, and how many
/// messages are waiting.
#[utoipa::path(get, path = "/health", tag = "pipeline",
    responses((status = 200, body = HealthSummary), (status = 304, description = "The caller has it already")))]
pub async fn health(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let (counts, _) = health::counts(&app).await?;
    etag::json(&headers, &health::health(&app, counts).await?)
}

/// The stages and the queues
#[utoipa::path(get, path = "/pipeline", tag = "pipeline",
    responses((status = 200, body = Pipeline), (status = 304, description = "The caller has it already")))]
pub async fn pipeline(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let stages = stages::all(&app.pool, (app.now)()).await?;
    let (queues, queues_error) = match app.queues.depths().await {
        Ok(queues) => (Some(queues), None),
        Err(error) => (None, Some(error.to_string())),
    };
    etag::json(&headers, &Pipeline { stages, queues, queues_error })
}

/// The last runs, newest first
#[utoipa::path(get, path = "/runs", tag = "pipeline", params(Paged),
    responses((status = 200, body = Vec<RunProgress>), (status = 304, description = "The caller has it already")))]
pub async fn runs(State(app): State<App>, Asked(paged): Asked<Paged>, headers: HeaderMap) -> Result<Response, Problem> {
    etag::json(&headers, &runs::newest(&app.pool, paged.limit()).await?)
}

/// The alerts sent to the owner, newest first
#[utoipa::path(get, path = "/alerts", tag = "pipeline", params(Paged),
    responses((status = 200, body = Page<ShownAlert>), (status = 304, description = "The caller has it already")))]
pub async fn alerts(
    State(app): State<App>,
    Asked(paged): Asked<Paged>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    etag::json(&headers, &alerts::page(&app.pool, &paged).await?)
}

/// The messages that can never be processed, with their reasons
#[utoipa::path(get, path = "/dead-letters", tag = "pipeline",
    responses((status = 200, body = Vec<ShownLetter>), (status = 304, description = "The caller has it already")))]
pub async fn dead_letters(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let letters = app.queues.dead_letters().await;
    etag::json(&headers, &letters.map_err(|error: Unreachable| Problem::unavailable(error.to_string()))?)
}
