//! Which address leads where, and what stands before all of them.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::app::App;
use crate::config::Guard;
use crate::problem::Problem;
use crate::{api, assets, auth, headers, pages, problem, rate};

/// How large a request's body may be: nothing here reads one.
const MOST_BYTES: usize = 1024;

/// Every address of the dashboard, behind its guards.
pub fn router(app: App, guard: &Guard) -> Router {
    let limiter = rate::limiter(guard.requests_per_second);
    tokio::spawn(forget(limiter.clone(), app.clone()));
    let is_open = guard.secrets.is_none();
    Router::new()
        .merge(pages::routes())
        .merge(api::routes().0)
        .route("/api/openapi.json", get(api::openapi))
        .route("/assets/{folder}/{name}", get(assets::asset))
        .route("/assets/{name}", get(assets::plotly))
        .layer(from_fn_with_state(guard.patience, in_time))
        .layer(from_fn_with_state(guard.secrets.clone(), auth::guard))
        // Whether it lives and is ready is asked by machines that know no secret and come every few seconds.
        .route("/livez", get(async || "alive"))
        .route("/readyz", get(ready))
        .with_state(app)
        .layer(from_fn(problem::dress))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(RequestBodyLimitLayer::new(MOST_BYTES))
        .layer(from_fn(pages::error::dress))
        .layer(from_fn_with_state(limiter, rate::limit))
        .layer(from_fn_with_state(is_open, headers::own_host))
        .layer(CompressionLayer::new())
        .layer(from_fn(headers::secure))
}

/// Ready is who has a database that answers.
async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    sqlx::query("select 1").execute(&app.pool).await?;
    Ok("ready")
}

async fn in_time(State(patience): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timed_out().into_response(),
    }
}

async fn forget(limiter: rate::Limiter, app: App) {
    const PAUSE: Duration = Duration::from_secs(60);
    while app.hub.stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some() {
        rate::forget_the_silent(&limiter);
    }
}
