//! The watchlist: every series in a row.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;

use crate::app::App;
use crate::pages::html;
use crate::pages::shell::{Shell, lineage_address, symbol_address};
use crate::problem::Problem;
use crate::read::overview::{self, Overview};
use crate::{figures, sparkline};

#[derive(Template)]
#[template(path = "watchlist.html")]
struct WatchlistPage {
    shell: Shell,
    rows: Vec<Row>,
    late: usize,
    candles: String,
    stale_after: String,
    now: Timestamp,
}

struct Row {
    series: Overview,
    address: String,
    lineage: Option<String>,
    spark: String,
    direction: &'static str,
}

impl Row {
    fn of(series: Overview) -> Self {
        Self {
            address: symbol_address(&series.symbol, &series.interval),
            lineage: series.last.as_ref().map(|last| lineage_address(&series.symbol, &series.interval, last)),
            spark: sparkline::points(&series.spark),
            direction: series.direction(),
            series,
        }
    }

    fn close(&self) -> String {
        self.series.close.as_deref().map_or_else(|| "–".to_owned(), figures::price)
    }

    fn change(&self) -> String {
        let Some(percent) = self.series.change_percent.as_deref() else { return "–".to_owned() };
        match percent.strip_prefix('-') {
            Some(loss) => format!("−{loss} %"),
            None => format!("+{percent} %"),
        }
    }

    fn age(&self) -> String {
        self.series.age_seconds.map_or_else(|| "–".to_owned(), figures::span)
    }

    /// What the colour of the age says, in words.
    fn why(&self) -> String {
        match self.series.behind_seconds {
            None => "nothing has been loaded yet".to_owned(),
            Some(0) => "no candle is due".to_owned(),
            Some(behind) => format!("the next candle has been due for {}", figures::span(behind)),
        }
    }
}

/// Every series in a row.
///
/// # Errors
/// A database or a watchlist that cannot be read.
pub async fn page(State(app): State<App>) -> Result<Response, Problem> {
    let all = overview::all(&app).await?;
    let late = all.iter().filter(|series| series.state.word() == "late").count();
    let candles = figures::grouped(all.iter().map(|series| series.candles).sum::<i64>());
    let rows = all.into_iter().map(Row::of).collect();
    let (stale_after, now) = (figures::span(app.stale_after.as_secs()), (app.now)());
    html(&WatchlistPage { shell: Shell::of("watchlist"), rows, late, candles, stale_after, now })
}
