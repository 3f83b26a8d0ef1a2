//! The candles of a series, as JSON in columns, as CSV, and as Parquet or Arrow, which also hold several series.

mod columns;
mod csv_rows;
mod json_columns;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use candlewick_columnar::encode::Form;
use candlewick_shared::core::key::Series;
use serde::Serialize;
use utoipa::ToSchema;

use self::columns::Columns;
use self::csv_rows::CsvRows;
use self::json_columns::JsonColumns;
use crate::app::App;
use crate::etag::ETag;
use crate::indicators::Indicators;
use crate::problem::Problem;
use crate::query::candles::{CandleQuery, CsvQuery, Moment, Take};
use crate::query::fields::Fields;
use crate::query::many::ManyQuery;
use crate::query::{Asked, At, IntervalName, SeriesPath, SymbolName};
use crate::read::candles::reading::{Reading, with_needed_calendar};
use crate::read::candles::rows::{self, Needed};
use crate::read::candles::source::{self, Source};

/// Candles as columns: the n-th entry of each column belongs to the n-th candle, in ascending order. A column that was
/// not requested is absent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SeriesCandles {
    /// The symbol of the instrument.
    #[schema(example = "AAPL")]
    pub symbol: String,
    /// The interval of the candles.
    #[schema(example = "1day")]
    pub interval: String,
    /// The stored interval from which the candles are derived; absent if the candles themselves are stored.
    #[schema(example = "1min", nullable = false)]
    pub derived_from: Option<String>,
    /// How many candles of the series each candle here covers: 1 unless `points` merged several.
    pub merged: i64,
    /// The number of candles of the series in the range, if `points` was given.
    pub in_range: Option<i64>,
    /// Dates, or instants for intraday candles.
    #[schema(example = json!(["2024-12-30"]), nullable = false)]
    pub time: Option<Vec<String>>,
    /// First prices.
    #[schema(example = json!(["252.230"]), nullable = false)]
    pub open: Option<Vec<String>>,
    /// Highest prices.
    #[schema(example = json!(["253.500"]), nullable = false)]
    pub high: Option<Vec<String>>,
    /// Lowest prices.
    #[schema(example = json!(["250.750"]), nullable = false)]
    pub low: Option<Vec<String>>,
    /// Last prices.
    #[schema(example = json!(["252.200"]), nullable = false)]
    pub close: Option<Vec<String>>,
    /// The traded volumes; null if the instrument has no volume.
    #[schema(example = json!(["35557500"]), nullable = false)]
    pub volume: Option<Vec<Option<String>>>,
    /// The indexes, from 0, of the candles that cleaning filled in (the field `is_filled`).
    #[schema(nullable = false)]
    pub filled: Option<Vec<usize>>,
    /// The columns of the indicators, by name; null until there are enough candles.
    #[schema(nullable = false)]
    pub indicators: Option<std::collections::BTreeMap<String, Vec<Option<f64>>>>,
    /// The `after` of the next request; null if there are no more candles.
    pub next: Option<String>,
    /// With `last`: the `before` of the next request; null at the start of the range.
    pub previous: Option<String>,
}

/// The candles of a series
///
/// Five years of daily candles or a month of minute candles fit into one response. An interval longer than the stored
/// one is derived from it, by the sessions of the calendar.
///
/// With `Accept: application/vnd.apache.arrow.stream` the response is an Arrow IPC stream with the columns of
/// `candles.parquet`, and the number of candles is not limited.
#[utoipa::path(get, path = "/series/{symbol}/{interval}/candles", tag = "candles",
    params(("symbol" = inline(SymbolName), Path), ("interval" = inline(IntervalName), Path), CandleQuery),
    responses((status = 200, content((SeriesCandles = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream"))), (status = 304, description = "The caller has it already")))]
pub async fn json(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(query): Asked<CandleQuery>,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    query.check()?;
    let source = find(&app, &Series::from(path), query.as_of, &query.indicators).await?;
    let is_arrow = accepts_arrow(&headers);
    let tag = tag(&address, &source, if is_arrow { ARROW } else { "" });
    let response = match tag.is_known(&headers) {
        true => tag.not_modified(),
        false if is_arrow => tag.on(as_arrow(&app, source, &query).await?),
        false => tag.on(as_json(&app, &tag, source, query).await?),
    };
    Ok(([(header::VARY, "accept")], response).into_response())
}

/// The candles of a series as Parquet
///
/// The number of candles is not limited. The columns are symbol and interval, the `fields` in the order of clean CSV
/// (`volume` is followed by `has_volume`), and those of the `indicators`. Prices and volumes are decimal(38, 20).
#[utoipa::path(get, path = "/series/{symbol}/{interval}/candles.parquet", tag = "candles",
    params(("symbol" = inline(SymbolName), Path), ("interval" = inline(IntervalName), Path), CsvQuery),
    responses((status = 200, content_type = "application/vnd.apache.parquet", body = Vec<u8>), (status = 304, description = "The caller has it already")))]
pub async fn parquet(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(query): Asked<CsvQuery>,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    as_columns(&app, Form::Parquet, vec![Series::from(path)], &query, &address, &headers).await
}

/// The candles of several series as Parquet
///
/// The columns are those of one series, and the rows are ordered by symbol and time.
#[utoipa::path(get, path = "/candles.parquet", tag = "candles", params(ManyQuery),
    responses((status = 200, content_type = "application/vnd.apache.parquet", body = Vec<u8>), (status = 304, description = "The caller has it already"),
        (status = 404, description = "The store lacks one of the series", body = Problem, content_type = "application/problem+json")))]
pub async fn many_parquet(
    State(app): State<App>,
    Asked(query): Asked<ManyQuery>,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    as_columns(&app, Form::Parquet, query.series()?, &query.of_each(), &address, &headers).await
}

/// The candles of several series as an Arrow IPC stream
///
/// The columns are those of Parquet, and the rows are ordered by symbol and time.
#[utoipa::path(get, path = "/candles.arrow", tag = "candles", params(ManyQuery),
    responses((status = 200, content_type = "application/vnd.apache.arrow.stream", body = Vec<u8>), (status = 304, description = "The caller has it already"),
        (status = 404, description = "The store lacks one of the series", body = Problem, content_type = "application/problem+json")))]
pub async fn many_arrow(
    State(app): State<App>,
    Asked(query): Asked<ManyQuery>,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    as_columns(&app, Form::ArrowStream, query.series()?, &query.of_each(), &address, &headers).await
}

/// The candles of a series as CSV
///
/// The number of candles is not limited. The columns are the `fields` (by default time, open, high, low, close, volume
/// and is_filled), followed by those of the `indicators`. Candles that are loaded while the response is sent may or may
/// not be in it.
#[utoipa::path(get, path = "/series/{symbol}/{interval}/candles.csv", tag = "candles",
    params(("symbol" = inline(SymbolName), Path), ("interval" = inline(IntervalName), Path), CsvQuery),
    responses((status = 200, content_type = "text/csv", body = String), (status = 304, description = "The caller has it already")))]
pub async fn csv(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(query): Asked<CsvQuery>,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let series = Series::from(path);
    let source = find(&app, &series, query.as_of, &query.indicators).await?;
    let tag = tag(&address, &source, "");
    if tag.is_known(&headers) {
        return Ok(tag.not_modified());
    }
    Ok(tag.on(as_csv(&app, &series, source, query).await?))
}

const ARROW: &str = "application/vnd.apache.arrow.stream";
const PARQUET: &str = "application/vnd.apache.parquet";

/// The source of a series, with its calendar if the candles or the indicators depend on it.
async fn find(app: &App, series: &Series, as_of: Option<Moment>, indicators: &Indicators) -> Result<Source, Problem> {
    with_needed_calendar(app, source::find_as_of(&app.pool, series, as_of).await?, indicators).await
}

/// Whether the caller wants Arrow: it names the type, and no program names it without wanting it.
fn accepts_arrow(headers: &HeaderMap) -> bool {
    let said = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == ARROW))
}

/// The tag covers the address, the content type if the address leaves it open, and the versions of the series' objects,
/// so no candles are read for a caller that has the current response.
fn tag(address: &Uri, source: &Source, content_type: &str) -> ETag {
    ETag::of(&[address.to_string().as_bytes(), content_type.as_bytes(), source.version.as_bytes()])
}

async fn as_arrow(app: &App, source: Source, query: &CandleQuery) -> Result<Response, Problem> {
    if query.points().is_some() {
        return Err(Problem::bad_request("points merges candles for a chart: Arrow has true ones"));
    }
    let series = source.series.clone();
    let take = query.take_all();
    let reading = Reading::new(app, source, query.range(), take, &query.fields, query.indicators.clone()).await?;
    streamed(Form::ArrowStream, vec![(series, reading)], &query.fields, &query.indicators).await
}

async fn as_columns(
    app: &App,
    form: Form,
    series: Vec<Series>,
    query: &CsvQuery,
    address: &Uri,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let mut readings = Vec::with_capacity(series.len());
    let mut versions = vec![address.to_string()];
    for series in series {
        let source = find(app, &series, query.as_of, &query.indicators).await?;
        versions.push(source.version.clone());
        readings.push((series, source));
    }
    let tag = ETag::of(&versions.iter().map(String::as_bytes).collect::<Vec<_>>());
    if tag.is_known(headers) {
        return Ok(tag.not_modified());
    }
    let mut begun = Vec::with_capacity(readings.len());
    for (series, source) in readings {
        let indicators = query.indicators.clone();
        let reading = Reading::new(app, source, query.range(), query.take(), &query.fields, indicators).await?;
        begun.push((series, reading));
    }
    Ok(tag.on(streamed(form, begun, &query.fields, &query.indicators).await?))
}

async fn streamed(
    form: Form,
    readings: Vec<(Series, Reading)>,
    fields: &Fields,
    indicators: &Indicators,
) -> Result<Response, Problem> {
    let content_type = if form == Form::Parquet { PARQUET } else { ARROW };
    let stream = Columns::new(form, readings, fields, indicators)?.begin().await?;
    Ok(([(header::CONTENT_TYPE, content_type)], Body::from_stream(stream)).into_response())
}

async fn as_json(app: &App, tag: &ETag, source: Source, query: CandleQuery) -> Result<Response, Problem> {
    let body = match app.answers.get(tag) {
        Some(body) => body,
        None => read_json(app, tag, source, query).await?,
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

async fn read_json(app: &App, tag: &ETag, source: Source, query: CandleQuery) -> Result<Bytes, Problem> {
    let body = Bytes::from(match query.points() {
        Some(points) => merged(app, source, &query, points).await?,
        None => whole(app, source, query).await?,
    });
    app.answers.keep(tag, &body);
    Ok(body)
}

async fn merged(app: &App, source: Source, query: &CandleQuery, points: u32) -> Result<String, Problem> {
    if source.is_derived() {
        return Err(Problem::bad_request("points merges stored candles: ask for the stored interval"));
    }
    let needed = query.fields.iter().fold(Needed::default(), Needed::with);
    let (rows, merged, in_range) = rows::merged(&app.pool, &source, query.range(), points, needed).await?;
    let mut columns = JsonColumns::new(&source, &query.fields, &query.indicators);
    for row in &rows {
        columns.push(row, rows::seconds(row)?, &[])?;
    }
    Ok(columns.finish_merged(merged, in_range))
}

async fn whole(app: &App, source: Source, query: CandleQuery) -> Result<String, Problem> {
    let mut columns = JsonColumns::new(&source, &query.fields, &query.indicators);
    let take = query.take();
    let mut reading = Reading::new(app, source, query.range(), take, &query.fields, query.indicators).await?;
    let mut values = Vec::new();
    loop {
        let _turn = reading.turn().await;
        let Some(part) = reading.next().await? else { break };
        for rows in part.chunks(rows::AT_A_TIME) {
            for row in rows {
                let candle = reading.candle(row, &mut values)?;
                columns.push(candle.row, candle.time, candle.values)?;
            }
            tokio::task::yield_now().await;
        }
    }
    let is_from_end = matches!(take, Take::Last(_));
    Ok(columns.finish(is_from_end, reading.is_more))
}

async fn as_csv(app: &App, series: &Series, source: Source, query: CsvQuery) -> Result<Response, Problem> {
    let range = query.range();
    let take = query.take();
    let reading = Reading::new(app, source, range, take, &query.fields, query.indicators.clone()).await?;
    let rows = CsvRows::new(reading, series.interval, query.fields, &query.indicators);
    // Reading the first part before responding turns an error into a problem response rather than a truncated file.
    let stream = rows.begin().await?;
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], Body::from_stream(stream)).into_response();
    let name = format!("attachment; filename=\"{}_{}.csv\"", series.symbol.to_key_form(), series.interval);
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
