//! The JSON API, version 1, described by an OpenAPI document that is generated from the code.

pub mod candles;
pub mod changes;
pub mod dashboards;
pub mod events;
pub mod loaded_events;
pub mod objects;
pub mod pipeline;
pub mod problems;
pub mod runs;
pub mod series;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::etag;
use crate::problem::Problem;

/// The prefix of all paths.
pub const PREFIX: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Candlewick",
        version = "1",
        description = "What the store has. Prices and volumes are exact decimals, as text: no digit is lost on the way. \
            Times are dates for daily and longer candles, and RFC 3339 in UTC for intraday ones. Every answer has an ETag, \
            and If-None-Match is answered with 304. Errors are problem details (RFC 9457). Everything is read with GET; a run \
            is requested with POST and the write token, and a dashboard is saved with PUT and the edit token."
    ),
    components(schemas(Problem))
)]
struct Description;

/// The routes of the API by the guards that they need, and their OpenAPI document, generated from the same functions.
pub struct Routes {
    /// Answers at once.
    pub reads: axum::Router<App>,
    /// May be asked to wait, and bounds that itself.
    pub waits: axum::Router<App>,
    /// Requests something of the pipeline.
    pub writes: axum::Router<App>,
    pub document: Document,
}

pub fn routes() -> Routes {
    let waits = OpenApiRouter::<App>::new().routes(routes!(runs::one)).routes(routes!(runs::series));
    let waits = waits.routes(routes!(loaded_events::list));
    let writes = OpenApiRouter::<App>::new().routes(routes!(runs::request));
    let (waits, of_waits) = OpenApiRouter::new().nest(PREFIX, waits).split_for_parts();
    let (writes, of_writes) = OpenApiRouter::new().nest(PREFIX, writes).split_for_parts();
    let (reads, document) = OpenApiRouter::with_openapi(Description::openapi()).nest(PREFIX, reads()).split_for_parts();
    let mut document = document.merge_from(of_waits).merge_from(of_writes).merge_from(saving().1);
    problems::describe(&mut document);
    Routes { reads, waits, writes, document }
}

fn reads() -> OpenApiRouter<App> {
    OpenApiRouter::<App>::new()
        .routes(routes!(series::list))
        .routes(routes!(series::one))
        .routes(routes!(series::sessions))
        .routes(routes!(series::gaps))
        .routes(routes!(candles::json))
        .routes(routes!(candles::csv))
        .routes(routes!(candles::parquet))
        .routes(routes!(candles::many_parquet))
        .routes(routes!(candles::many_arrow))
        .routes(routes!(objects::lineage))
        .routes(routes!(objects::list))
        .routes(routes!(objects::one))
        .routes(routes!(objects::report))
        .routes(routes!(objects::quarantine))
        .routes(routes!(changes::list))
        .routes(routes!(changes::candles))
        .routes(routes!(series::all_gaps))
        .routes(routes!(pipeline::health))
        .routes(routes!(pipeline::pipeline))
        .routes(routes!(pipeline::runs))
        .routes(routes!(pipeline::alerts))
        .routes(routes!(pipeline::dead_letters))
        .routes(routes!(events::events))
        .routes(routes!(dashboards::list))
        .routes(routes!(dashboards::one))
        .routes(routes!(dashboards::candles))
}

/// The routes that take a document, and their part of the OpenAPI document.
pub fn saving() -> (axum::Router<App>, Document) {
    let routes = OpenApiRouter::<App>::new().routes(routes!(dashboards::save));
    OpenApiRouter::new().nest(PREFIX, routes).split_for_parts()
}

/// The OpenAPI document.
pub fn document() -> Document {
    routes().document
}

/// Serves the OpenAPI document.
pub async fn openapi(State(_): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let Json(document) = Json(document());
    etag::json(&headers, &document)
}
