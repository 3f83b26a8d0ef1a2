//! A symbol: its candles.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;

use crate::app::App;
use crate::figures;
use crate::pages::html;
use crate::pages::shell::{Shell, in_address, symbol_address};
use crate::problem::Problem;
use crate::query::{At, SeriesPath};
use crate::read::overview::{self, Overview};

#[derive(Template)]
#[template(path = "symbol.html")]
struct SymbolPage {
    shell: Shell,
    series: Overview,
    /// The interval and the address of its page.
    intervals: Vec<(Interval, String)>,
    /// The addresses of the API for this series.
    data: String,
    candles: String,
    close: String,
}

/// Leads to the page of a symbol's longest common interval: days, where there are some.
///
/// # Errors
/// A symbol that the store has not.
pub async fn any_interval(State(app): State<App>, At(symbol): At<Symbol>) -> Result<Response, Problem> {
    let intervals = overview::intervals(&app.pool, symbol.as_str()).await?;
    let day = intervals.iter().find(|interval| **interval == Interval::Day1).or(intervals.first());
    let interval = day.ok_or_else(|| Problem::not_found(format!("the store has no candle of {symbol}")))?;
    Ok(Redirect::to(&symbol_address(symbol.as_str(), interval.as_str())).into_response())
}

/// A series: its candles, and what is known of it.
///
/// # Errors
/// A series that neither the store nor the watchlist has.
pub async fn page(State(app): State<App>, At(path): At<SeriesPath>) -> Result<Response, Problem> {
    let series = Series::from(path);
    let found = overview::one(&app, &series).await?;
    let overview = found
        .ok_or_else(|| Problem::not_found(format!("neither the store nor the watchlist has a series {series}")))?;
    let mut intervals = overview::intervals(&app.pool, series.symbol.as_str()).await?;
    if !intervals.contains(&series.interval) {
        intervals.push(series.interval);
    }
    let address = |interval: Interval| (interval, symbol_address(series.symbol.as_str(), interval.as_str()));
    html(&SymbolPage {
        shell: Shell::of("symbol"),
        intervals: intervals.into_iter().map(address).collect(),
        data: format!("/api/v1/series/{}/{}", in_address(series.symbol.as_str()), series.interval),
        candles: figures::grouped(overview.candles),
        close: overview.close.as_deref().map(figures::price).unwrap_or_default(),
        series: overview,
    })
}
