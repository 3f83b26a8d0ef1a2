//! The lineage of one candle as a page.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use candlewick_shared::core::key::Series;

use crate::api::objects::CandleAt;
use crate::app::App;
use crate::figures;
use crate::pages::render::html;
use crate::pages::shell::{Shell, symbol_address};
use crate::problem::Problem;
use crate::query::{Asked, At, SeriesPath};
use crate::read::lineage::{self, CandleLineage};

#[derive(Template)]
#[template(path = "lineage.html")]
struct LineagePage {
    shell: Shell,
    series: Series,
    lineage: CandleLineage,
    symbol_address: String,
}

/// The lineage of a candle: API call, raw object, transformed object, load and row.
pub async fn page(
    State(app): State<App>,
    At(path): At<SeriesPath>,
    Asked(at): Asked<CandleAt>,
) -> Result<Response, Problem> {
    let series = Series::from(path);
    let found = lineage::of(&app.pool, app.store.as_ref(), &series, at.seconds(&series)?).await?;
    let lineage = found.ok_or_else(|| Problem::not_found(format!("{series} has no candle at {}", at.time)))?;
    let symbol_address = symbol_address(series.symbol.as_str(), series.interval.as_str());
    html(&LineagePage { shell: Shell::of("symbol"), series, lineage, symbol_address })
}
