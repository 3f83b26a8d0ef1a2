//! Reads what the tiles of a dashboard show.

use std::collections::BTreeMap;

use candlewick_shared::core::key::Series;
use candlewick_shared::reads::runs::{self, RunProgress};
use futures::future::try_join_all;

use crate::app::App;
use crate::dashboards::document::{Kind, Tile};
use crate::dashboards::span::Span;
use crate::dashboards::variable::{Column, Variable};
use crate::figures;
use crate::problem::Problem;
use crate::query::candles::Range;
use crate::query::fields::Field;
use crate::read::candles::source;
use crate::read::overview;
use crate::read::quality::{self, SlotGap};
use crate::read::variables::{self, Line, Newest};

/// The maximum number of points of a line; older ones are left out.
const MOST_POINTS: usize = 5_000;

/// How many rows a table has if it does not say it, and how many gaps of each series are shown.
const ROWS: u16 = 10;
const GAPS: usize = 5;

/// What a tile shows.
#[derive(Clone, Debug)]
pub enum Content {
    /// The page fetches the candles.
    Chart,
    Table(Table),
    Values(Vec<LastValue>),
    Gaps(Vec<SeriesGaps>),
    Run(Option<RunProgress>),
}

/// The newest values as rows.
#[derive(Clone, Debug)]
pub struct Table {
    pub columns: Vec<String>,
    /// Each row's time and values, the newest row first.
    pub rows: Vec<(String, Vec<String>)>,
}

/// The last value of a variable.
#[derive(Clone, Debug)]
pub struct LastValue {
    pub name: String,
    /// `None` if the store has no value.
    pub value: Option<String>,
    pub time: String,
    /// The change from the value before, in percent.
    pub change: Option<String>,
    pub direction: &'static str,
}

/// The gaps of a series.
#[derive(Clone, Debug)]
pub struct SeriesGaps {
    pub series: Series,
    /// Whether the store has no such series.
    pub is_missing: bool,
    /// The number of missing candles.
    pub slots: i64,
    /// The newest gaps, newest first.
    pub newest: Vec<SlotGap>,
}

/// Reads the content of a tile.
pub async fn content(app: &App, tile: &Tile) -> Result<Content, Problem> {
    Ok(match tile.kind {
        Kind::Chart => Content::Chart,
        Kind::Table => Content::Table(table(app, tile).await?),
        Kind::Value => Content::Values(try_join_all(tile.variables.iter().map(|each| last(app, each))).await?),
        Kind::Gaps => Content::Gaps(try_join_all(tile.variables.iter().map(|each| gaps(app, &each.series))).await?),
        Kind::Run => Content::Run(runs::newest(&app.pool, 1).await?.pop()),
    })
}

/// The lines of a chart.
pub async fn lines(app: &App, tile: &Tile) -> Result<Vec<Line>, Problem> {
    let mut lines = Vec::with_capacity(tile.variables.len());
    for variable in &tile.variables {
        let span = tile.range.unwrap_or(Span::usual(variable.series.interval));
        let found = variables::within(app, variable, span, MOST_POINTS).await?;
        let timezone = overview::one(app, &variable.series).await?.and_then(|series| series.timezone);
        lines.push(Line::of(variable, timezone, found));
    }
    Ok(lines)
}

async fn table(app: &App, tile: &Tile) -> Result<Table, Problem> {
    let count = usize::from(tile.rows.unwrap_or(ROWS));
    let found = try_join_all(tile.variables.iter().map(|each| variables::newest(app, each, count))).await?;
    let named = tile.variables.iter().zip(&found);
    let columns = named.flat_map(|(variable, found)| headings(variable, found.as_ref())).collect();
    Ok(Table { columns, rows: rows(&found, count) })
}

/// The headings of a variable's columns. A series that the store does not have has one empty column.
fn headings(variable: &Variable, found: Option<&Newest>) -> Vec<String> {
    let series = &variable.series;
    match found {
        Some(found) if found.columns.len() > 1 => {
            found.columns.iter().map(|column| format!("{} {column}", series.symbol)).collect()
        }
        _ => vec![variable.to_string()],
    }
}

/// The values of all variables by time, the newest first.
fn rows(found: &[Option<Newest>], count: usize) -> Vec<(String, Vec<String>)> {
    let width = |newest: &Option<Newest>| newest.as_ref().map_or(1, |newest| newest.columns.len());
    let all: usize = found.iter().map(width).sum();
    let mut rows: BTreeMap<(i64, String), Vec<String>> = BTreeMap::new();
    let mut place = 0;
    for newest in found {
        for at in newest.iter().flat_map(|newest| &newest.rows) {
            let Some(newest) = newest else { continue };
            let row = rows.entry((at.seconds, newest.time(at))).or_insert_with(|| vec!["–".to_owned(); all]);
            for ((cell, value), column) in row[place..].iter_mut().zip(&at.values).zip(&newest.columns) {
                *cell = value.as_ref().map_or_else(|| "–".to_owned(), |value| value.shown(column));
            }
        }
        place += width(newest);
    }
    rows.into_iter().rev().take(count).map(|((_, time), cells)| (time, cells)).collect()
}

/// Whole candles have the close as their value.
async fn last(app: &App, variable: &Variable) -> Result<LastValue, Problem> {
    let column = variable.column.or(Some(Column::Field(Field::Close)));
    let found = variables::newest(app, &Variable { column, ..variable.clone() }, 2).await?;
    let name = variable.to_string();
    let empty = LastValue { name, value: None, time: String::new(), change: None, direction: "flat" };
    let Some((found, newest)) = found.as_ref().and_then(|found| Some((found, found.rows.last()?))) else {
        return Ok(empty);
    };
    let shown = found
        .columns
        .iter()
        .zip(&newest.values)
        .map(|(column, value)| value.as_ref().map_or_else(|| "–".to_owned(), |value| value.shown(column)));
    let change = change(found);
    Ok(LastValue {
        value: Some(shown.collect::<Vec<_>>().join(" / ")),
        time: found.time(newest),
        direction: change.map_or("flat", |change| if change < 0.0 { "down" } else { "up" }),
        change: change.map(|change| figures::signed(&format!("{change:.2}"))),
        ..empty
    })
}

/// The change of the first column from its value before, in percent.
fn change(found: &Newest) -> Option<f64> {
    let [before, now] = &found.rows[..] else { return None };
    let number = |at: &variables::At| at.values.first()?.as_ref()?.number();
    let before = number(before)?;
    let now = number(now)?;
    (before != 0.0).then(|| 100.0 * (now - before) / before.abs())
}

async fn gaps(app: &App, series: &Series) -> Result<SeriesGaps, Problem> {
    let none = SeriesGaps { series: series.clone(), is_missing: true, slots: 0, newest: Vec::new() };
    let source = match source::find(&app.pool, series).await {
        Err(problem) if problem.status == 404 => return Ok(none),
        source => source?,
    };
    let stored = Series { symbol: series.symbol.clone(), interval: source.stored };
    let gaps = quality::gaps(&app.pool, &stored, Range::ALWAYS).await?;
    let slots = gaps.iter().map(|gap| gap.slots).sum();
    Ok(SeriesGaps { is_missing: false, slots, newest: gaps.into_iter().rev().take(GAPS).collect(), ..none })
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::interval::Interval;

    use super::*;
    use crate::read::variables::{At, Value};

    fn newest(columns: &[&str], rows: &[(i64, &[Option<&str>])]) -> Option<Newest> {
        let exact = |text: &Option<&str>| text.map(|text| Value::Exact(text.to_owned()));
        let at = |(day, values): &(i64, &[Option<&str>])| At {
            seconds: day * 86_400,
            values: values.iter().map(exact).collect(),
        };
        let columns = columns.iter().map(ToString::to_string).collect();
        Some(Newest { interval: Interval::Day1, columns, rows: rows.iter().map(at).collect() })
    }

    #[test]
    fn a_table_joins_variables_by_their_times() {
        let one = newest(&["close"], &[(0, &[Some("1")]), (1, &[Some("2")])]);
        let two = newest(&["open", "close"], &[(1, &[Some("3"), None]), (2, &[Some("4"), Some("5.5")])]);
        let rows = rows(&[one, None, two], 2);
        let texts: Vec<_> = rows.iter().map(|(time, cells)| format!("{time} {}", cells.join(" "))).collect();
        assert_eq!(texts, ["1970-01-03 – – 4.00 5.50", "1970-01-02 2.00 – 3.00 –"]);
    }

    #[test]
    fn a_change_is_that_of_the_first_column() {
        let of = |rows: &[(i64, &[Option<&str>])]| change(&newest(&["close"], rows).unwrap());
        assert_eq!(of(&[(0, &[Some("2")]), (1, &[Some("3")])]), Some(50.0));
        assert_eq!(of(&[(0, &[Some("-2")]), (1, &[Some("-3")])]), Some(-50.0));
        assert_eq!((of(&[(0, &[Some("0")]), (1, &[Some("3")])]), of(&[(1, &[Some("3")])])), (None, None));
        assert_eq!(of(&[(0, &[None]), (1, &[Some("3")])]), None);
    }
}
