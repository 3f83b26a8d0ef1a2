//! The history of loads as a page.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::figures;
use crate::pages::render::html;
use crate::pages::shell::{Shell, symbol_address};
use crate::problem::Problem;
use crate::query::AskedByForm;
use crate::query::changes::ChangeQuery;
use crate::query::page::Page;
use crate::read::changes::{self, Load};

#[derive(Template)]
#[template(path = "changes.html")]
struct ChangesPage {
    shell: Shell,
    loads: Page<Load>,
    symbol: String,
    is_all: bool,
    /// The address of the next page.
    more: Option<String>,
}

/// The time span of the candles that a load lost, in words.
fn lost(load: &Load) -> Option<String> {
    let first = figures::moment(load.lost_first?);
    Some(format!("real candles from {first} to {}", figures::moment(load.lost_last?)))
}

/// The history of loads, of all series or of one.
pub async fn page(State(app): State<App>, AskedByForm(query): AskedByForm<ChangeQuery>) -> Result<Response, Problem> {
    let loads = changes::loads(&app.pool, &query).await?;
    let symbol = query.symbol.as_ref().map(ToString::to_string).unwrap_or_default();
    let more = loads.next.map(|next| address(&query, next));
    html(&ChangesPage { shell: Shell::of("changes"), loads, symbol, is_all: query.all.unwrap_or(false), more })
}

fn address(query: &ChangeQuery, after: i64) -> String {
    let symbol = query.symbol.as_ref().map(|symbol| ("symbol", symbol.to_string()));
    let interval = query.interval.map(|interval| ("interval", interval.to_string()));
    let since = query.since.map(|since| ("since", since.to_string()));
    let all = query.all.map(|all| ("all", all.to_string()));
    let parts: Vec<_> =
        [symbol, interval, since, all, Some(("after", after.to_string()))].into_iter().flatten().collect();
    format!("/changes?{}", serde_urlencoded::to_string(parts).unwrap_or_default())
}
