//! The control endpoints under `/_simulator`, which the real API does not have. They need no key and cost no credits.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::api::defects::Defect;
use crate::faults::Faults;
use crate::market::splits::Split;
use crate::shared::Shared;

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

/// The body of `PUT /_simulator/defects`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SymbolDefects {
    symbol: String,
    kinds: Vec<Defect>,
}

/// Returns the control routes:
///
/// - `GET`, `PUT /_simulator/faults`: [`Faults`]. `PUT` replaces all faults.
/// - `GET`, `PUT /_simulator/defects`: `{"symbol": "MSFT", "kinds": ["duplicate"]}`. `PUT` replaces the defects of that
///   symbol; the symbol `*` means all.
/// - `GET`, `PUT`, `DELETE /_simulator/splits`: `PUT` takes one [`Split`] and replaces that of the same symbol and date;
///   `DELETE` removes all splits.
/// - `GET`, `DELETE /_simulator/requests`: the recent requests, oldest first.
/// - `GET /_simulator/clock`: the simulated time.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_simulator/faults", get(faults).put(put_faults))
        .route("/_simulator/defects", get(defects).put(put_defects))
        .route("/_simulator/splits", get(splits).put(put_split).delete(delete_splits))
        .route("/_simulator/requests", get(requests).delete(delete_requests))
        .route("/_simulator/clock", get(clock))
}

async fn faults(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!(shared.simulator.state().faults))
}

async fn put_faults(State(shared): State<Arc<Shared>>, Json(faults): Json<Faults>) -> Answer {
    let checked = faults.checked().map_err(|reason| refused(&reason))?;
    shared.simulator.state().faults = checked.clone();
    Ok(Json(json!(checked)))
}

async fn defects(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!(shared.simulator.state().defects))
}

async fn put_defects(State(shared): State<Arc<Shared>>, Json(put): Json<SymbolDefects>) -> Json<Value> {
    let mut state = shared.simulator.state();
    state.defects.insert(put.symbol.to_ascii_uppercase(), put.kinds);
    Json(json!(state.defects))
}

async fn splits(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!(shared.simulator.state().splits))
}

async fn put_split(State(shared): State<Arc<Shared>>, Json(mut split): Json<Split>) -> Answer {
    if !(split.ratio > 0.0 && split.ratio.is_finite()) {
        return Err(refused("ratio is not a positive number"));
    }
    split.symbol.make_ascii_uppercase();
    let mut state = shared.simulator.state();
    state.splits.retain(|known| (&known.symbol, known.date) != (&split.symbol, split.date));
    state.splits.push(split);
    Ok(Json(json!(state.splits)))
}

async fn delete_splits(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.simulator.state().splits.clear();
    Json(json!([]))
}

async fn requests(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "requests": shared.simulator.state().log.entries() }))
}

async fn delete_requests(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.simulator.state().log.clear();
    Json(json!({ "requests": [] }))
}

async fn clock(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "now": shared.clock.at(Timestamp::now()) }))
}

fn refused(reason: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": reason })))
}
