//! The objects ledger and the lineage of candles, as JSON.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::key::Series;
use jiff::tz::TimeZone;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::etag;
use crate::problem::Problem;
use crate::query::page::{Page, Paged};
use crate::query::{Asked, At, IntervalName, SeriesPath, SymbolName};
use crate::read::lineage::{self, CandleLineage};
use crate::read::objects::{self, LedgerObject, QuarantinedRow};

/// Identifies a candle of a series.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CandleAt {
    /// The time of the candle: a date, or an instant for intraday candles.
    #[param(example = "2024-12-30")]
    pub time: String,
}

impl CandleAt {
    /// The time in seconds since 1970.
    pub fn seconds(&self, series: &Series) -> Result<i64, Problem> {
        let time = CandleTime::parse(&self.time, series.interval, &TimeZone::UTC);
        time.map(CandleTime::seconds).map_err(|error| Problem::bad_request(format!("time {:?}: {error}", self.time)))
    }
}

/// Where a candle comes from
///
/// The API call, the raw object and its version, the transformed object, the load and the row, each with its time.
#[utoipa::path(get, path = "/series/{symbol}/{interval}/lineage", tag = "candles",
    params(("symbol" = inline(SymbolName), Path), ("interval" = inline(IntervalName), Path), CandleAt),
    responses((status = 200, body = CandleLineage), (status = 304, description = "The caller has it already")))]
pub async fn lineage(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(at): Asked<CandleAt>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let series = Series::from(path);
    let found = lineage::of(&app.pool, app.store.as_ref(), &series, at.seconds(&series)?).await?;
    etag::json(&headers, &found.ok_or_else(|| Problem::not_found(format!("{series} has no candle at {}", at.time)))?)
}

/// The objects ledger, newest ids first
#[utoipa::path(get, path = "/objects", tag = "ledger", params(Paged),
    responses((status = 200, body = Page<LedgerObject>), (status = 304, description = "The caller has it already")))]
pub async fn list(State(app): State<App>, Asked(paged): Asked<Paged>, headers: HeaderMap) -> Result<Response, Problem> {
    etag::json(&headers, &objects::page(&app.pool, None, &paged).await?)
}

/// One object of the ledger
#[utoipa::path(get, path = "/objects/{id}", tag = "ledger", params(("id" = i64, Path)),
    responses((status = 200, body = LedgerObject), (status = 304, description = "The caller has it already")))]
pub async fn one(State(app): State<App>, At(id): At<i64>, headers: HeaderMap) -> Result<Response, Problem> {
    etag::json(&headers, &find(&app, id).await?)
}

/// The cleaning report of an object
#[utoipa::path(get, path = "/objects/{id}/report", tag = "quality", params(("id" = i64, Path)),
    responses((status = 200, description = "The report, as it is in reports/", body = serde_json::Value),
        (status = 304, description = "The caller has it already")))]
pub async fn report(State(app): State<App>, At(id): At<i64>, headers: HeaderMap) -> Result<Response, Problem> {
    let report = objects::report(&app.pool, id).await?;
    etag::json(&headers, &report.ok_or_else(|| Problem::not_found(format!("there is no report on object {id}")))?)
}

/// The rows of an object that were quarantined
#[utoipa::path(get, path = "/objects/{id}/quarantine", tag = "quality", params(("id" = i64, Path), Paged),
    responses((status = 200, body = Page<QuarantinedRow>), (status = 304, description = "The caller has it already")))]
pub async fn quarantine(
    State(app): State<App>,
    At(id): At<i64>,
    Asked(paged): Asked<Paged>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let object = find(&app, id).await?;
    etag::json(&headers, &objects::quarantined(app.store.as_ref(), &object, &paged).await?)
}

pub async fn find(app: &App, id: i64) -> Result<LedgerObject, Problem> {
    let found = objects::one(&app.pool, id).await?;
    found.ok_or_else(|| Problem::not_found(format!("the ledger has no object {id}")))
}
