//! The history of loads as a page.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::api::changes::find;
use crate::app::App;
use crate::figures;
use crate::pages::render::html;
use crate::pages::shell::{Shell, symbol_address};
use crate::problem::Problem;
use crate::query::AskedByForm;
use crate::query::changes::ChangeQuery;
use crate::query::page::{Page, Paged};
use crate::query::{Asked, At};
use crate::read::changes::{self, Load};
use crate::read::load_candles::{ChangedCandle, LoadCandles};

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

#[derive(Template)]
#[template(path = "load.html")]
struct LoadPage {
    shell: Shell,
    load: LoadCandles,
}

/// The candles of a load.
pub async fn load(State(app): State<App>, At(id): At<i64>, Asked(paged): Asked<Paged>) -> Result<Response, Problem> {
    html(&LoadPage { shell: Shell::of("changes"), load: find(&app, id, &paged).await? })
}

/// The prices and the volume of a candle, by the title of their column.
fn values(candle: &ChangedCandle) -> [(&'static str, String); 5] {
    let price = |before: &str, after: &Option<String>| value(Some(before), after.as_deref(), candle.close.is_some());
    let volume = value(candle.volume_before.as_deref(), candle.volume.as_deref(), candle.close.is_some());
    [
        ("Open", price(&candle.open_before, &candle.open)),
        ("High", price(&candle.high_before, &candle.high)),
        ("Low", price(&candle.low_before, &candle.low)),
        ("Close", price(&candle.close_before, &candle.close)),
        ("Volume", volume),
    ]
}

/// A value before and after a load: once if it did not change or the candle was removed.
fn value(before: Option<&str>, after: Option<&str>, is_there: bool) -> String {
    let text = |value: Option<&str>| value.unwrap_or("none").to_owned();
    if !is_there || before == after { text(before) } else { format!("{} → {}", text(before), text(after)) }
}

fn filled(candle: &ChangedCandle) -> &'static str {
    match (candle.is_filled_before, candle.is_filled) {
        (false, Some(true)) => "became filled",
        (true, Some(false)) => "became real",
        (true, _) => "filled",
        (false, _) => "real",
    }
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
