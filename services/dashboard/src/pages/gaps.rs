//! The gaps of all series in one list.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::api::series::AllGapsQuery;
use crate::app::App;
use crate::figures;
use crate::pages::quality::fate_of;
use crate::pages::render::html;
use crate::pages::shell::{Shell, symbol_address};
use crate::problem::Problem;
use crate::query::Asked;
use crate::query::page::Page;
use crate::read::quality::{self, SeriesGap};

#[derive(Template)]
#[template(path = "gaps.html")]
struct GapsPage {
    shell: Shell,
    gaps: Page<SeriesGap>,
    search: String,
}

/// The address of a chart that shows a gap, from its first slot through its last.
fn chart(gap: &SeriesGap) -> String {
    let address = symbol_address(&gap.symbol, &gap.interval);
    format!("{address}?from={}&to={}", gap.gap.first, gap.gap.last)
}

/// The gaps of all series, newest first.
pub async fn page(State(app): State<App>, Asked(query): Asked<AllGapsQuery>) -> Result<Response, Problem> {
    let search = query.search.clone().unwrap_or_default();
    let gaps = quality::all_gaps(&app.pool, &search, &query.paged()).await?;
    html(&GapsPage { shell: Shell::of("quality"), gaps, search })
}
