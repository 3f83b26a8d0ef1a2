//! Overviews of series, their sessions and their gaps, as JSON.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use candlewick_shared::core::key::Series;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::etag;
use crate::problem::Problem;
use crate::query::candles::{Moment, Range};
use crate::query::listing::SeriesQuery;
use crate::query::page::{Page, Paged};
use crate::query::{Asked, At, IntervalName, SeriesPath, SymbolName};
use crate::read::candles::source;
use crate::read::health;
use crate::read::overview::{self, Overview};
use crate::read::quality::{self, SeriesGap, SeriesSessions, SlotGap};

/// How far back the sessions go.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DaysQuery {
    /// The number of days before now: 1 to 3660 [default: 90].
    #[param(minimum = 1, maximum = 3660)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 3660>")]
    pub days: Option<u32>,
}

impl DaysQuery {
    /// The number of days, with the default applied.
    pub fn days(&self) -> u32 {
        self.days.unwrap_or(90).clamp(1, 3_660)
    }
}

/// An overview of every series
#[utoipa::path(get, path = "/series", tag = "series", params(SeriesQuery),
    responses((status = 200, body = Page<Overview>), (status = 304, description = "The caller has it already")))]
pub async fn list(
    State(app): State<App>,
    Asked(query): Asked<SeriesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    etag::json(&headers, &health::listing(&app, &query).await?.page)
}

/// An overview of one series
#[utoipa::path(get, path = "/series/{symbol}/{interval}", tag = "series",
    params(("symbol" = inline(SymbolName), Path), ("interval" = inline(IntervalName), Path)),
    responses((status = 200, body = Overview), (status = 304, description = "The caller has it already")))]
pub async fn one(State(app): State<App>, At(path): At<SeriesPath>, headers: HeaderMap) -> Result<Response, Problem> {
    let series = Series::from(path);
    let overview = overview::one(&app, &series).await?.ok_or_else(|| unknown(&series))?;
    etag::json(&headers, &overview)
}

/// Expected and actual candles of each session
#[utoipa::path(get, path = "/series/{symbol}/{interval}/sessions", tag = "quality",
    params(("symbol" = inline(SymbolName), Path), ("interval" = inline(IntervalName), Path), DaysQuery),
    responses((status = 200, body = SeriesSessions), (status = 304, description = "The caller has it already")))]
pub async fn sessions(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(query): Asked<DaysQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let series = Series::from(path);
    let sessions = quality::one(&app, &series, query.days()).await?.ok_or_else(|| unknown(&series))?;
    etag::json(&headers, &sessions)
}

/// Filters the gaps of one series.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GapQuery {
    /// Only gaps that end at this time or later.
    #[param(value_type = Option<Moment>, inline, example = "2024-01-01")]
    pub from: Option<Moment>,
    /// Only gaps that start at this time or earlier.
    #[param(value_type = Option<Moment>, inline, example = "2024-12-31")]
    pub to: Option<Moment>,
}

/// The gaps of a series: vacant slots that were left vacant
///
/// The first thousand gaps of the range, ascending. A derived series has the gaps of the stored one.
#[utoipa::path(get, path = "/series/{symbol}/{interval}/gaps", tag = "quality",
    params(("symbol" = inline(SymbolName), Path), ("interval" = inline(IntervalName), Path), GapQuery),
    responses((status = 200, body = Vec<SlotGap>), (status = 304, description = "The caller has it already")))]
pub async fn gaps(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(query): Asked<GapQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let series = Series::from(path);
    let source = source::find(&app.pool, &series).await?;
    let stored = Series { symbol: series.symbol, interval: source.stored };
    let range = Range::between(query.from, query.to);
    etag::json(&headers, &quality::gaps(&app.pool, &stored, range).await?)
}

/// Filters the gaps of all series.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AllGapsQuery {
    /// Only gaps of series whose symbol contains this text; case is ignored.
    pub search: Option<String>,
    /// The maximum number of rows: 1 to 1000 [default: 100].
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 1000>")]
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<i64>,
}

impl AllGapsQuery {
    pub fn paged(&self) -> Paged {
        Paged { limit: self.limit, after: self.after }
    }
}

/// The gaps of all series, newest first
#[utoipa::path(get, path = "/gaps", tag = "quality", params(AllGapsQuery),
    responses((status = 200, body = Page<SeriesGap>), (status = 304, description = "The caller has it already")))]
pub async fn all_gaps(
    State(app): State<App>,
    Asked(query): Asked<AllGapsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let search = query.search.as_deref().unwrap_or_default();
    etag::json(&headers, &quality::all_gaps(&app.pool, search, &query.paged()).await?)
}

fn unknown(series: &Series) -> Problem {
    Problem::not_found(format!("neither the store nor the watchlist has a series {series}"))
}
