//! The first page: the overall health, and one row per series.

use std::borrow::Borrow;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;

use crate::app::App;
use crate::pages::render::html;
use crate::pages::shell::{Shell, lineage_address, symbol_address};
use crate::problem::Problem;
use crate::query::Asked;
use crate::query::listing::{Column, Only, RowsQuery, SeriesQuery, Sort};
use crate::read::health::{self, Counts, HealthSummary, SeriesListing};
use crate::read::overview::{self, Overview};
use crate::{figures, sparkline};

/// The default number of series on a page.
const ROWS: u32 = 200;

#[derive(Template)]
#[template(path = "watchlist.html")]
struct WatchlistPage {
    shell: Shell,
    summary: Summary,
    rows: Vec<Row>,
    matching: usize,
    /// The address of the next page.
    more: Option<String>,
}

/// The part of the page above the rows.
#[derive(Template)]
#[template(path = "summary.html")]
struct SummaryPart {
    summary: Summary,
}

/// Some rows, which a page puts in the place of those that it has.
#[derive(Template)]
#[template(path = "rows_part.html")]
struct RowsPart {
    rows: Vec<Row>,
}

/// The overall health, and how the list can be filtered and sorted.
struct Summary {
    health: HealthSummary,
    groups: Vec<(String, usize)>,
    query: SeriesQuery,
    stale_after: String,
    yesterday: String,
    now: Timestamp,
}

struct Row {
    series: Overview,
    address: String,
    lineage: Option<String>,
    spark: String,
    trend: &'static str,
    direction: &'static str,
}

impl Row {
    fn of(series: Overview) -> Self {
        Self {
            address: symbol_address(&series.symbol, &series.interval),
            lineage: series.last.as_ref().map(|last| lineage_address(&series.symbol, &series.interval, last)),
            spark: sparkline::points(&series.spark),
            trend: sparkline::trend(&series.spark),
            direction: series.direction(),
            series,
        }
    }

    fn close(&self) -> String {
        self.series.close.as_deref().map_or_else(|| "–".to_owned(), figures::price)
    }

    fn change(&self) -> String {
        let percent = self.series.change_percent.as_deref();
        percent.map_or_else(|| "–".to_owned(), |percent| format!("{} %", figures::signed(percent)))
    }

    fn age(&self) -> String {
        self.series.age_seconds.map_or_else(|| "–".to_owned(), figures::span)
    }

    /// The state in words.
    fn state(&self) -> &'static str {
        if self.series.state.word() == "empty" { "not fetched yet" } else { self.series.state.word() }
    }

    /// Explains the color of the age.
    fn why(&self) -> String {
        match self.series.behind_seconds {
            None => "the next refresh fetches it: candlewick refresh".to_owned(),
            Some(0) => "no candle is due".to_owned(),
            Some(behind) => format!("the next candle has been due for {}", figures::span(behind)),
        }
    }
}

impl Summary {
    /// The address of this list with another filter.
    fn only(&self, only: impl Borrow<Only>) -> String {
        let only = *only.borrow();
        address(&SeriesQuery { only: (!self.is_only(only)).then_some(only), after: None, ..self.query.clone() })
    }

    fn is_only(&self, only: impl Borrow<Only>) -> bool {
        self.query.only == Some(*only.borrow())
    }

    fn is_empty_filter(&self, only: impl Borrow<Only>) -> bool {
        *only.borrow() == Only::Empty
    }

    /// The address of this list with another group, or without a group if this one is selected.
    fn group(&self, group: &str) -> String {
        let is_on = self.is_group(group);
        address(&SeriesQuery { group: (!is_on).then(|| group.to_owned()), after: None, ..self.query.clone() })
    }

    fn is_group(&self, group: &str) -> bool {
        self.query.group.as_deref() == Some(group)
    }

    /// The address of this list sorted by a column: numbers are first sorted in descending order, and the next click
    /// reverses the order.
    fn sorted(&self, name: &str) -> String {
        let column = Column::ALL.into_iter().find(|column| column.name() == name).unwrap_or(Column::Symbol);
        let now = self.query.sort.unwrap_or_default();
        let is_descending = if now.column == column { !now.is_descending } else { column != Column::Symbol };
        address(&SeriesQuery { sort: Some(Sort { column, is_descending }), after: None, ..self.query.clone() })
    }

    /// The `aria-sort` value of a column header.
    fn order(&self, name: &str) -> &'static str {
        let now = self.query.sort.unwrap_or_default();
        match (now.column.name() == name, now.is_descending) {
            (false, _) => "none",
            (true, true) => "descending",
            (true, false) => "ascending",
        }
    }

    fn search(&self) -> &str {
        self.query.search.as_deref().unwrap_or_default()
    }

    fn is_well(&self) -> bool {
        health::is_well(&self.health)
    }
}

/// The address of a list.
fn address(query: &SeriesQuery) -> String {
    let mut parts = Vec::new();
    let mut add = |name: &'static str, value: Option<String>| parts.extend(value.map(|value| (name, value)));
    add("search", query.search.clone().filter(|search| !search.is_empty()));
    add("group", query.group.clone());
    add("only", query.only.map(|only| only.name().to_owned()));
    add("sort", query.sort.filter(|sort| *sort != Sort::default()).map(Sort::text));
    add("after", query.after.map(|after| after.to_string()));
    if parts.is_empty() {
        return "/".to_owned();
    }
    format!("/?{}", serde_urlencoded::to_string(parts).unwrap_or_default())
}

/// The overall health, and one row per series.
pub async fn page(State(app): State<App>, Asked(query): Asked<SeriesQuery>) -> Result<Response, Problem> {
    let query = SeriesQuery { limit: query.limit.or(Some(ROWS)), ..query };
    let SeriesListing { page, matching, counts, groups } = health::listing(&app, &query).await?;
    let more = page.next.map(|next| address(&SeriesQuery { after: Some(next), ..query.clone() }));
    html(&WatchlistPage {
        shell: Shell::of("watchlist"),
        summary: Summary::of(&app, counts, groups, query).await?,
        rows: page.rows.into_iter().map(Row::of).collect(),
        matching,
        more,
    })
}

/// Only the part above the rows.
pub async fn summary(State(app): State<App>, Asked(query): Asked<SeriesQuery>) -> Result<Response, Problem> {
    let (counts, groups) = health::counts(&app).await?;
    html(&SummaryPart { summary: Summary::of(&app, counts, groups, query).await? })
}

/// Only the rows of some series.
pub async fn rows(State(app): State<App>, Asked(query): Asked<RowsQuery>) -> Result<Response, Problem> {
    let found = overview::some(&app, &query.series()?).await?;
    html(&RowsPart { rows: found.into_iter().map(Row::of).collect() })
}

impl Summary {
    async fn of(app: &App, counts: Counts, groups: Vec<(String, usize)>, query: SeriesQuery) -> Result<Self, Problem> {
        let now = (app.now)();
        Ok(Self {
            health: health::health(app, counts).await?,
            groups,
            query,
            stale_after: figures::span(app.stale_after.as_secs()),
            yesterday: health::yesterday(now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            now,
        })
    }
}
