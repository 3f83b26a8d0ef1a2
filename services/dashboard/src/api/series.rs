//! The series at a glance, their sessions and their gaps.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use candlewick_shared::core::key::Series;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::etag;
use crate::problem::Problem;
use crate::query::page::{Page, Paged};
use crate::query::{Asked, At, SeriesPath};
use crate::read::overview::{self, Overview};
use crate::read::quality::{self, Gap, Sessions};

/// Which series.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeriesQuery {
    /// Only series whose symbol has this text, in any case.
    pub search: Option<String>,
    /// How many rows: 1 to 1000 [default: 100].
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// Where the last page ended: its `next`.
    pub after: Option<i64>,
}

/// How many days of sessions.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DaysQuery {
    /// How many days before now: 1 to 3660 [default: 90].
    #[param(minimum = 1, maximum = 3660)]
    pub days: Option<u32>,
}

impl DaysQuery {
    /// How many days before now.
    #[must_use]
    pub fn days(&self) -> u32 {
        self.days.unwrap_or(90).clamp(1, 3_660)
    }
}

/// Every series at a glance
#[utoipa::path(get, path = "/series", tag = "series", params(SeriesQuery),
    responses((status = 200, body = Page<Overview>), (status = 304, description = "The caller has it already"),
        (status = 400, body = Problem)))]
pub async fn list(
    State(app): State<App>,
    Asked(query): Asked<SeriesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let search = query.search.unwrap_or_default().to_uppercase();
    let all = overview::all(&app).await?.into_iter().filter(|series| series.symbol.to_uppercase().contains(&search));
    let paged = Paged { limit: query.limit, after: query.after };
    let behind = usize::try_from(query.after.unwrap_or(0)).unwrap_or(0);
    let numbered: Vec<_> = all.enumerate().skip(behind).take(paged.limit() as usize + 1).collect();
    let page = Page::of(numbered, &paged, |(at, _)| *at as i64 + 1);
    let rows = page.rows.into_iter().map(|(_, series)| series).collect::<Vec<_>>();
    etag::json(&headers, &Page { rows, next: page.next })
}

/// One series at a glance
#[utoipa::path(get, path = "/series/{symbol}/{interval}", tag = "series",
    params(("symbol" = String, Path, description = "Percent-encoded: BTC%2FUSD"), ("interval" = String, Path)),
    responses((status = 200, body = Overview), (status = 304, description = "The caller has it already"),
        (status = 404, body = Problem)))]
pub async fn one(State(app): State<App>, At(path): At<SeriesPath>, headers: HeaderMap) -> Result<Response, Problem> {
    let series = Series::from(path);
    let overview = overview::one(&app, &series).await?.ok_or_else(|| unknown(&series))?;
    etag::json(&headers, &overview)
}

/// Expected candles against those there are, session by session
#[utoipa::path(get, path = "/series/{symbol}/{interval}/sessions", tag = "quality",
    params(("symbol" = String, Path, description = "Percent-encoded: BTC%2FUSD"), ("interval" = String, Path), DaysQuery),
    responses((status = 200, body = Sessions), (status = 304, description = "The caller has it already"),
        (status = 404, body = Problem)))]
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

/// The gaps of a series: vacant slots that were left vacant
#[utoipa::path(get, path = "/series/{symbol}/{interval}/gaps", tag = "quality",
    params(("symbol" = String, Path, description = "Percent-encoded: BTC%2FUSD"), ("interval" = String, Path)),
    responses((status = 200, body = Vec<Gap>), (status = 304, description = "The caller has it already")))]
pub async fn gaps(State(app): State<App>, At(path): At<SeriesPath>, headers: HeaderMap) -> Result<Response, Problem> {
    etag::json(&headers, &quality::gaps(&app.pool, &Series::from(path)).await?)
}

fn unknown(series: &Series) -> Problem {
    Problem::not_found(format!("neither the store nor the watchlist has a series {series}"))
}
