//! Lightweight Charts alone: a page with nothing but the library and the same candles, which come in one response.

use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use candlewick_dashboard::assets::CHART_LIBRARY;
use sqlx::PgPool;
use tokio::net::TcpListener;

/// Serves the page until the measurement ends. Returns its address.
pub async fn serve(pool: PgPool) -> String {
    let router = Router::new()
        .route("/", get(async || Html(include_str!("peer.html"))))
        .route("/library.js", get(async || ([(CONTENT_TYPE, "text/javascript")], CHART_LIBRARY)))
        .route("/candles/{interval}", get(candles))
        .with_state(pool);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

const COLUMNS: &str = "select json_build_object(
        'time', json_agg(extract(epoch from time)::bigint order by time),
        'open', json_agg(open::text order by time), 'high', json_agg(high::text order by time),
        'low', json_agg(low::text order by time), 'close', json_agg(close::text order by time))::text
    from candles where symbol = 'AAPL' and interval = $1";

async fn candles(State(pool): State<PgPool>, Path(interval): Path<String>) -> impl IntoResponse {
    let columns: String = sqlx::query_scalar(COLUMNS).bind(interval).fetch_one(&pool).await.unwrap();
    ([(CONTENT_TYPE, "application/json")], columns)
}
