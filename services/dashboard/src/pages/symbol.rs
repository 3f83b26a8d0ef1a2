//! The page of a series, with its chart.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;

use crate::app::App;
use crate::figures;
use crate::pages::render::html;
use crate::pages::shell::{Shell, in_address, symbol_address};
use crate::problem::Problem;
use crate::query::{At, SeriesPath};
use crate::read::candles::source;
use crate::read::overview::{self, Overview};

#[derive(Template)]
#[template(path = "symbol.html")]
struct SymbolPage {
    shell: Shell,
    series: Overview,
    intervals: Vec<Choice>,
    /// The requested interval, and the stored one from which its candles come.
    interval: Interval,
    stored: Interval,
    /// The intervals that the chart can switch to, starting with this one.
    levels: String,
    /// The addresses of the API for this symbol.
    folder: String,
    candles: String,
    close: String,
    /// Whether the chart starts with the newest candles of this interval only.
    is_preloaded: bool,
}

/// An entry of the interval menu.
struct Choice {
    interval: Interval,
    address: String,
    is_stored: bool,
}

impl SymbolPage {
    fn is_derived(&self) -> bool {
        self.interval != self.stored
    }

    /// Whether a range is offered: one day of daily candles would be a single candle.
    fn offers(&self, range: &str) -> bool {
        self.interval.is_intraday() || !matches!(range, "1D" | "5D")
    }

    fn change(&self) -> Option<String> {
        self.series.change_percent.as_deref().map(figures::signed)
    }
}

/// Redirects to the page of the symbol's daily candles, or else of its shortest stored interval.
pub async fn any_interval(State(app): State<App>, At(symbol): At<Symbol>) -> Result<Response, Problem> {
    let intervals = overview::intervals(&app.pool, symbol.as_str()).await?;
    let day = intervals.iter().find(|interval| **interval == Interval::Day1).or(intervals.first());
    let interval = day.ok_or_else(|| Problem::not_found(format!("the store has no candle of {symbol}")))?;
    Ok(Redirect::to(&symbol_address(symbol.as_str(), interval.as_str())).into_response())
}

/// The chart of a series and its metadata.
pub async fn page(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    RawQuery(view): RawQuery,
) -> Result<Response, Problem> {
    let asked = Series::from(path);
    let stored = overview::intervals(&app.pool, asked.symbol.as_str()).await?;
    let source = source::choose(stored.iter().copied(), asked.interval).unwrap_or(asked.interval);
    let series = Series { symbol: asked.symbol, interval: source };
    let found = overview::one(&app, &series).await?;
    let overview = found.ok_or_else(|| unknown(&series))?;
    html(&SymbolPage {
        shell: Shell::of("symbol"),
        intervals: choices(&series, &stored),
        interval: asked.interval,
        stored: source,
        levels: levels(&stored, asked.interval),
        folder: format!("/api/v1/series/{}", in_address(series.symbol.as_str())),
        candles: figures::counted(overview.candles, "candle"),
        close: overview.close.as_deref().map(figures::price).unwrap_or_default(),
        is_preloaded: overview.candles > 0
            && view.is_none()
            && asked.interval == Interval::Day1
            && source == Interval::Day1,
        series: overview,
    })
}

fn unknown(series: &Series) -> Problem {
    Problem::not_found(format!("neither the store nor the watchlist has a series {series}"))
}

/// The intervals that can be shown, including derived ones.
fn choices(series: &Series, stored: &[Interval]) -> Vec<Choice> {
    let is_shown = |interval: &Interval| source::is_readable(stored, *interval) || *interval == series.interval;
    let choice = |interval: Interval| Choice {
        interval,
        address: symbol_address(series.symbol.as_str(), interval.as_str()),
        is_stored: stored.contains(&interval),
    };
    Interval::ALL.into_iter().filter(is_shown).map(choice).collect()
}

/// The intervals, starting with one, that the chart switches to as it is zoomed out.
fn levels(stored: &[Interval], from: Interval) -> String {
    let is_level = |interval: &Interval| {
        *interval == from || (*interval > from && LEVELS.contains(interval) && source::is_readable(stored, *interval))
    };
    Interval::ALL.into_iter().filter(is_level).map(Interval::as_str).collect::<Vec<_>>().join(",")
}

/// Each level covers roughly four to seven times as much time as the one before.
const LEVELS: [Interval; 7] = [
    Interval::Min5,
    Interval::Min15,
    Interval::Hour1,
    Interval::Hour4,
    Interval::Day1,
    Interval::Week1,
    Interval::Month1,
];
