//! Pages: renders the results of `read` with templates that are checked at compile time and escape every value.

pub mod api;
pub mod changes;
pub mod dashboards;
pub mod error;
pub mod gaps;
pub mod heatmap;
pub mod lineage;
pub mod login;
pub mod pipeline;
pub mod quality;
pub mod render;
pub mod shell;
pub mod symbol;
pub mod watchlist;

use axum::Router;
use axum::routing::get;

use crate::app::App;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(watchlist::page))
        .route("/parts/summary", get(watchlist::summary))
        .route("/parts/rows", get(watchlist::rows))
        .route("/symbol/{symbol}", get(symbol::any_interval))
        .route("/symbol/{symbol}/{interval}", get(symbol::page))
        .route("/lineage/{symbol}/{interval}", get(lineage::page))
        .route("/dashboards", get(dashboards::list))
        .route("/dashboards/{name}", get(dashboards::page))
        .route("/dashboards/{name}/edit", get(dashboards::edit))
        .route("/shared/{name}", get(dashboards::shared))
        .route("/shared/{name}/tiles/{place}/candles", get(dashboards::shared_candles))
        .route("/changes", get(changes::page))
        .route("/changes/{id}", get(changes::load))
        .route("/gaps", get(gaps::page))
        .route("/pipeline", get(pipeline::page))
        .route("/quality", get(quality::page))
        .route("/quality/{id}", get(quality::object))
        .route("/api", get(api::page))
}
