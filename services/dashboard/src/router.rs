//! Maps addresses to handlers, with the guards in front of all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::app::App;
use crate::auth::Gate;
use crate::config::Guard;
use crate::dashboards::document;
use crate::pages::login;
use crate::places::Places;
use crate::problem::Problem;
use crate::ready::Readiness;
use crate::refusals::Refusals;
use crate::writers::Writers;
use crate::{access, api, assets, auth, client, headers, heavy, pages, problem, rate, writers};

/// The maximum size of a request body in bytes, except for a dashboard that is saved and a requested run.
const MOST_BYTES: usize = 1024;

/// The maximum size of a request of a run in bytes, which may name a thousand symbols.
const MOST_OF_A_REQUEST: usize = 64 << 10;

/// Every route of the dashboard with its guards. A layer wraps the routes and layers that were added before it.
pub fn router(app: App, guard: &Guard) -> Router {
    let limiter = rate::limiter(guard.requests_per_second);
    tokio::spawn(forget(limiter.clone(), app.clone()));
    let gate = guard.secrets.clone().map(Gate::new);
    let is_open = guard.secrets.is_none();
    let api = api::routes();
    let guarded = Router::new()
        .merge(pages::routes())
        .merge(api.reads)
        .route("/api/openapi.json", get(api::openapi))
        .layer(RequestBodyLimitLayer::new(MOST_BYTES))
        .merge(api::saving().0)
        .layer(Extension(gate.clone()))
        .layer(from_fn_with_state(Places::new(heavy::AT_ONCE.0, heavy::AT_ONCE.1), heavy::limit))
        .layer(from_fn_with_state(guard.patience, in_time))
        .merge(api.waits.route_layer(RequestBodyLimitLayer::new(MOST_BYTES)))
        .merge(writes(api.writes, guard))
        .layer(from_fn_with_state(gate.clone(), auth::guard));
    // Of two routers, the one that is merged answers for unknown addresses: the guarded one.
    without_login(gate)
        .merge(guarded)
        .layer(from_fn_with_state(limiter, rate::limit))
        // Health checks know no secret and poll every few seconds.
        .route("/livez", get(async || "alive"))
        .route("/readyz", get(ready).with_state(Readiness::of(app.pool.clone())))
        .with_state(app)
        .layer(from_fn(problem::dress))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(RequestBodyLimitLayer::new(document::MOST_BYTES))
        .layer(from_fn(pages::error::dress))
        .layer(from_fn_with_state(is_open, headers::own_host))
        .layer(from_fn(headers::own_pages))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(guard.frame_ancestors.clone(), headers::secure))
        .layer(from_fn_with_state(Arc::new(Refusals::default()), access::log))
        .layer(from_fn_with_state(guard.trusted_proxies, client::identify))
}

/// Layers of routes only: those of a router would also answer for addresses that do not exist.
fn writes(routes: Router<App>, guard: &Guard) -> Router<App> {
    routes
        .route_layer(RequestBodyLimitLayer::new(MOST_OF_A_REQUEST))
        .route_layer(from_fn_with_state(guard.patience, in_time))
        .route_layer(from_fn_with_state(Writers::new(guard.write_token.clone()), writers::guard))
}

/// The login form and its assets, which must be reachable without a login. They are the same for everybody.
fn without_login(gate: Option<Gate>) -> Router<App> {
    Router::new()
        .route("/assets/{folder}/{name}", get(assets::asset))
        .route("/assets/{name}", get(assets::chart_library))
        .route("/login", get(login::page).post(login::log_in).with_state(gate))
        .route("/logout", post(login::log_out))
        .route_layer(RequestBodyLimitLayer::new(MOST_BYTES))
}

async fn ready(State(readiness): State<Readiness>) -> Result<&'static str, Problem> {
    readiness.ask().await
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
