//! The candles of a series, as JSON in columns and as CSV.

use anyhow::Context;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use candlewick_shared::core::key::Series;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::etag::ETag;
use crate::problem::Problem;
use crate::query::candles::CandleQuery;
use crate::query::fields::{Field, Fields};
use crate::query::{Asked, At, SeriesPath};
use crate::read::candles::{self, Candles, Columns};

/// Candles in columns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SeriesCandles {
    /// The instrument.
    #[schema(example = "AAPL")]
    pub symbol: String,
    /// The length of its candles.
    #[schema(example = "1day")]
    pub interval: String,
    /// How many candles of the series each one here stands for: 1, unless `points` made it more.
    pub merged: i64,
    /// How many candles of the series there are in the range, where `points` is asked for.
    pub in_range: Option<i64>,
    /// The candles.
    #[serde(flatten)]
    pub columns: Columns,
    /// What to send as `after` for what follows; none where this is all.
    pub next: Option<String>,
}

/// The candles of a series
///
/// Five years of days, or a month of minutes, in one answer.
#[utoipa::path(get, path = "/series/{symbol}/{interval}/candles", tag = "candles",
    params(("symbol" = String, Path, description = "Percent-encoded: BTC%2FUSD"), ("interval" = String, Path), CandleQuery),
    responses((status = 200, body = SeriesCandles), (status = 304, description = "The caller has it already"),
        (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn json(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(query): Asked<CandleQuery>,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let series = Series::from(path);
    unless_known(&app, &series, &address, &headers, as_json(&app, &series, &query)).await
}

/// The candles of a series as CSV
///
/// The columns are the `fields`, by themselves those of clean CSV: time, open, high, low, close, volume, is_filled.
#[utoipa::path(get, path = "/series/{symbol}/{interval}/candles.csv", tag = "candles",
    params(("symbol" = String, Path, description = "Percent-encoded: BTC%2FUSD"), ("interval" = String, Path), CandleQuery),
    responses((status = 200, content_type = "text/csv", body = String), (status = 304, description = "The caller has it already"),
        (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn csv(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(query): Asked<CandleQuery>,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let series = Series::from(path);
    unless_known(&app, &series, &address, &headers, as_csv(&app, &series, &query)).await
}

/// An answer under its tag, which is its address and the versions of the series' objects; it is made only for who does not
/// have it.
async fn unless_known(
    app: &App,
    series: &Series,
    address: &Uri,
    headers: &HeaderMap,
    answer: impl Future<Output = Result<Response, Problem>>,
) -> Result<Response, Problem> {
    let version = candles::version(&app.pool, series).await?;
    let version = version.ok_or_else(|| Problem::not_found(format!("the store has no series {series}")))?;
    let tag = ETag::of(&[address.to_string().as_bytes(), version.as_bytes()]);
    if tag.is_known(headers) {
        return Ok(tag.not_modified());
    }
    Ok(tag.on(answer.await?))
}

async fn as_json(app: &App, series: &Series, query: &CandleQuery) -> Result<Response, Problem> {
    let read = match query.points() {
        Some(points) => candles::merged(&app.pool, series, query.bounds(), &query.fields, points).await?,
        None => candles::range(&app.pool, series, query.bounds(), &query.fields).await?,
    };
    let Candles { columns, merged, in_range, next, .. } = read;
    let (symbol, interval) = (series.symbol.to_string(), series.interval.to_string());
    Ok(axum::Json(SeriesCandles { symbol, interval, merged, in_range, columns, next }).into_response())
}

async fn as_csv(app: &App, series: &Series, query: &CandleQuery) -> Result<Response, Problem> {
    let read = candles::range(&app.pool, series, query.bounds(), &query.fields).await?;
    let body = table(&read, &query.fields)
        .map_err(|error| Problem::unavailable(format!("the CSV cannot be written: {error:#}")))?;
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], body).into_response();
    let name = format!("attachment; filename=\"{}_{}.csv\"", series.symbol.to_key_form(), series.interval);
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    if let Some(next) = read.next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert("candlewick-next", next);
    }
    Ok(response)
}

fn table(Candles { columns, count, .. }: &Candles, fields: &Fields) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields.iter().map(Field::name)).context("write the header")?;
    for at in 0..*count {
        writer.write_record(fields.iter().map(|field| cell(columns, field, at)))?;
    }
    Ok(writer.into_inner()?)
}

/// A cell of CSV; an absent volume is an empty one.
fn cell(columns: &Columns, field: Field, at: usize) -> &str {
    let found = match field {
        Field::Time => text(&columns.time, at),
        Field::Open => text(&columns.open, at),
        Field::High => text(&columns.high, at),
        Field::Low => text(&columns.low, at),
        Field::Close => text(&columns.close, at),
        Field::Volume => columns.volume.as_ref().and_then(|volume| volume.get(at)?.as_deref()),
        Field::IsFilled => columns.filled.as_ref().map(|filled| word(filled.binary_search(&at).is_ok())),
    };
    found.unwrap_or_default()
}

fn text(column: &Option<Vec<String>>, at: usize) -> Option<&str> {
    column.as_ref().and_then(|column| column.get(at)).map(String::as_str)
}

fn word(is_filled: bool) -> &'static str {
    if is_filled { "true" } else { "false" }
}
