//! The candles of a series, as JSON in columns and as CSV.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::etag::ETag;
use crate::problem::Problem;
use crate::query::candles::CandleQuery;
use crate::query::{Asked, At, SeriesPath};
use crate::read::candles::{self, Candle, Candles};

/// Candles in columns: the n-th entry of each is the n-th candle, in ascending order.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Columns {
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
    /// Dates, or instants for intraday candles.
    #[schema(example = json!(["2024-12-30"]))]
    pub time: Vec<String>,
    /// First prices.
    #[schema(example = json!(["252.230"]))]
    pub open: Vec<String>,
    /// Highest prices.
    #[schema(example = json!(["253.500"]))]
    pub high: Vec<String>,
    /// Lowest prices.
    #[schema(example = json!(["250.750"]))]
    pub low: Vec<String>,
    /// Last prices.
    #[schema(example = json!(["252.200"]))]
    pub close: Vec<String>,
    /// What was traded; null where the instrument has no volume.
    #[schema(example = json!(["35557500"]))]
    pub volume: Vec<Option<String>>,
    /// Which of the candles were put in by cleaning, by their place in the columns, from 0.
    pub filled: Vec<usize>,
    /// What to send as `after` for what follows; none where this is all.
    pub next: Option<String>,
}

/// One candle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Row {
    /// A date, or an instant for intraday candles.
    pub time: String,
    /// The first price.
    pub open: String,
    /// The highest price.
    pub high: String,
    /// The lowest price.
    pub low: String,
    /// The last price.
    pub close: String,
    /// What was traded; null where the instrument has no volume.
    pub volume: Option<String>,
    /// Whether cleaning put it in.
    pub is_filled: bool,
}

impl Row {
    /// A candle as the API shows it.
    #[must_use]
    pub fn of(candle: &Candle, interval: Interval) -> Self {
        let Candle { open, high, low, close, volume, is_filled, .. } = candle.clone();
        Self { time: time(candle, interval), open, high, low, close, volume, is_filled }
    }
}

fn time(candle: &Candle, interval: Interval) -> String {
    CandleTime::from_seconds(candle.time).display(interval).to_string()
}

impl Columns {
    fn of(series: &Series, read: Candles, next: Option<String>, in_range: Option<i64>) -> Self {
        let mut columns = Self {
            symbol: series.symbol.to_string(),
            interval: series.interval.to_string(),
            merged: read.merged,
            in_range,
            next,
            ..Self::default()
        };
        for (at, candle) in read.candles.into_iter().enumerate() {
            columns.time.push(time(&candle, series.interval));
            columns.open.push(candle.open);
            columns.high.push(candle.high);
            columns.low.push(candle.low);
            columns.close.push(candle.close);
            columns.volume.push(candle.volume);
            if candle.is_filled {
                columns.filled.push(at);
            }
        }
        columns
    }
}

/// The candles of a series
///
/// Five years of days, or a month of minutes, in one answer.
#[utoipa::path(get, path = "/series/{symbol}/{interval}/candles", tag = "candles",
    params(("symbol" = String, Path, description = "Percent-encoded: BTC%2FUSD"), ("interval" = String, Path), CandleQuery),
    responses((status = 200, body = Columns), (status = 304, description = "The caller has it already"),
        (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn json(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(query): Asked<CandleQuery>,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let series = Series::from(path);
    let tag = tag(&app, &series, &address).await?;
    if tag.is_known(&headers) {
        return Ok(tag.not_modified());
    }
    let columns = match query.points() {
        Some(points) => {
            let read = candles::merged(&app.pool, &series, query.bounds(), points).await?;
            let in_range = read.in_range;
            Columns::of(&series, read, None, Some(in_range))
        }
        None => {
            let (candles, next) = range(&app, &series, &query).await?;
            Columns::of(&series, Candles { candles, merged: 1, in_range: 0 }, next, None)
        }
    };
    Ok(tag.on(axum::Json(columns).into_response()))
}

/// The candles of a series as CSV
///
/// The columns are those of clean CSV: time, open, high, low, close, volume, is_filled.
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
    let tag = tag(&app, &series, &address).await?;
    if tag.is_known(&headers) {
        return Ok(tag.not_modified());
    }
    let (candles, next) = range(&app, &series, &query).await?;
    let body = table(&candles, series.interval)
        .map_err(|error| Problem::unavailable(format!("the CSV cannot be written: {error}")))?;
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], body).into_response();
    let name = format!("attachment; filename=\"{}_{}.csv\"", series.symbol.to_key_form(), series.interval);
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert("candlewick-next", next);
    }
    Ok(tag.on(response))
}

/// The tag of an answer about a series: its address and the versions of the series' objects.
async fn tag(app: &App, series: &Series, address: &Uri) -> Result<ETag, Problem> {
    let version = candles::version(&app.pool, series).await?;
    let version = version.ok_or_else(|| Problem::not_found(format!("the store has no series {series}")))?;
    Ok(ETag::of(&[address.to_string().as_bytes(), version.as_bytes()]))
}

/// The candles that were asked for, and what to send as `after` where there are more.
async fn range(app: &App, series: &Series, query: &CandleQuery) -> Result<(Vec<Candle>, Option<String>), Problem> {
    let bounds = query.bounds();
    let mut candles = candles::range(&app.pool, series, bounds).await?;
    let is_more = candles.len() > bounds.limit as usize;
    candles.truncate(bounds.limit as usize);
    let next = candles.last().filter(|_| is_more).map(|last| time(last, series.interval));
    Ok((candles, next))
}

fn table(candles: &[Candle], interval: Interval) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["time", "open", "high", "low", "close", "volume", "is_filled"])?;
    for candle in candles {
        let Row { time, open, high, low, close, volume, is_filled } = Row::of(candle, interval);
        let filled = if is_filled { "true" } else { "false" };
        writer.write_record([&*time, &*open, &*high, &*low, &*close, volume.as_deref().unwrap_or_default(), filled])?;
    }
    Ok(writer.into_inner()?)
}
