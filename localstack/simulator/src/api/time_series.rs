//! `GET /time_series`: candles of one or more symbols.

use serde_json::Value;

use super::csv;
use super::defects::{self, Defect, RowContext};
use super::document::Document;
use super::error::ApiError;
use super::parameters::{Format, Parameters};
use super::sheet::{Sheet, meta};
use super::window::Window;
use crate::market::bars::Feed;
use crate::market::instruments::{Filters, Instrument};
use crate::market::interval::Interval;
use crate::market::price::Decimals;
use crate::market::splits::Split;
use crate::world::World;
use jiff::Timestamp;

/// The maximum number of symbols per request. The API has a limit but does not document its value.
const MAX_SYMBOLS: usize = 120;

/// A parsed request. `prepost` is validated but has no effect. `adjust` applies only to splits that were added at run
/// time: recorded candles are always adjusted for older splits, and dividends are not simulated.
#[derive(Clone, Debug)]
pub struct TimeSeries {
    /// The symbols as the client wrote them, at least one.
    pub symbols: Vec<String>,
    pub interval: Interval,
    pub format: Format,
    filters: Filters,
    window: Window,
    ascending: bool,
    decimals: Decimals,
    adjusted: bool,
    with_previous: bool,
}

/// What the answer for a symbol depends on in addition to the request.
#[derive(Clone, Debug)]
pub struct AnswerContext<'a> {
    pub world: &'a World,
    /// The time of the request.
    pub now: Timestamp,
    /// The splits of all symbols.
    pub splits: &'a [Split],
    /// The data defects of this symbol.
    pub defects: &'a [Defect],
}

/// How a fault changes an answer with status ok.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The answer is not changed.
    Intact,
    /// Every fifth row has null prices.
    Nulls,
    /// `values` is missing.
    NoValues,
    /// `values` is empty.
    EmptyValues,
    /// Only the two oldest rows are present.
    Short,
    /// Every tenth row is missing.
    Holes,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Json(Document),
    Csv(String),
}

impl TimeSeries {
    pub fn parse(parameters: &Parameters) -> Result<Self, ApiError> {
        let symbols = symbols(parameters)?;
        let format = parameters.format()?;
        if symbols.len() > 1 && format != Format::Json {
            return Err(ApiError::unsupported("CSV for several symbols, a shape that TwelveData does not document"));
        }
        parameters.flag("prepost")?;
        Ok(Self {
            symbols,
            interval: interval(parameters)?,
            format,
            filters: filters(parameters),
            window: Window::parse(parameters)?,
            ascending: parameters.one_of("order", &[("asc", true), ("desc", false)], false)?,
            decimals: parameters.decimals()?,
            adjusted: adjusted(parameters)?,
            with_previous: parameters.flag("previous_close")?,
        })
    }

    /// Returns the answer for one of the symbols.
    pub fn answer(&self, symbol: &str, context: &AnswerContext<'_>, shape: Shape) -> Result<Body, ApiError> {
        let instrument = context.world.catalog.find(symbol, &self.filters)?;
        let sheet = self.sheet(&instrument, context)?;
        Ok(match self.format {
            Format::Json => Body::Json(json_body(&instrument, &sheet, shape)),
            Format::Csv { delimiter } => Body::Csv(csv_body(sheet, delimiter, shape)),
        })
    }

    fn sheet(&self, instrument: &Instrument, context: &AnswerContext<'_>) -> Result<Sheet, ApiError> {
        let splits: Vec<_> = context.splits.iter().filter(|split| split.symbol == instrument.symbol).cloned().collect();
        let series = context.world.series(instrument);
        let feed = Feed { series, splits: &splits, adjusted: self.adjusted, now: context.now };
        let rows = self.window.rows(feed, self.interval, self.with_previous);
        let zone = self.window.shown_zone(instrument.calendar.zone(), self.interval);
        let row_context =
            RowContext { noise: series.noise(), interval: self.interval, now: zone.to_datetime(context.now) };
        let rows = defects::apply(context.defects, rows, row_context);
        let interval = self.interval;
        let decimals = self.decimals;
        let with_previous = self.with_previous;
        let ascending = self.ascending;
        let sheet = Sheet { interval, decimals, with_previous, ascending, rows };
        if sheet.rows.is_empty() { Err(ApiError::no_data()) } else { Ok(sheet) }
    }
}

impl Body {
    /// Converts a JSON answer to the requested format.
    pub fn in_format(answer: Value, format: Format) -> Self {
        match format {
            Format::Json => Self::Json(answer.into()),
            Format::Csv { delimiter } => Self::Csv(csv::of_answer(&answer, delimiter)),
        }
    }
}

fn json_body(instrument: &Instrument, sheet: &Sheet, shape: Shape) -> Document {
    let values = match shape {
        Shape::Intact => Some(sheet.json()),
        Shape::Nulls => Some(with_nulls(sheet.clone()).json()),
        Shape::NoValues => None,
        Shape::EmptyValues => Some(Document::List(Vec::new())),
        Shape::Short | Shape::Holes => Some(with_missing_rows(sheet.clone(), shape).json()),
    };
    let meta = ("meta", meta(instrument, sheet.interval));
    let values = values.map(|values| ("values", values));
    Document::object([meta].into_iter().chain(values).chain([("status", Document::text(Some("ok")))]))
}

fn csv_body(mut sheet: Sheet, delimiter: char, shape: Shape) -> String {
    match shape {
        Shape::Intact => sheet.csv(delimiter),
        Shape::Nulls => with_nulls(sheet).csv(delimiter),
        Shape::NoValues => String::new(),
        Shape::EmptyValues => {
            sheet.rows.clear();
            sheet.csv(delimiter)
        }
        Shape::Short | Shape::Holes => with_missing_rows(sheet, shape).csv(delimiter),
    }
}

/// Removes the rows that [`Shape::Short`] and [`Shape::Holes`] leave out.
fn with_missing_rows(mut sheet: Sheet, shape: Shape) -> Sheet {
    const KEPT: usize = 2;
    const EVERY: usize = 10;
    let count = sheet.rows.len();
    let is_kept = |at: usize| if shape == Shape::Short { at + KEPT >= count } else { at % EVERY != EVERY - 1 };
    let mut at = 0..;
    sheet.rows.retain(|_| at.next().is_some_and(is_kept));
    sheet
}

fn with_nulls(mut sheet: Sheet) -> Sheet {
    for row in sheet.rows.iter_mut().step_by(5) {
        row.prices = [None; 4];
    }
    sheet
}

fn symbols(parameters: &Parameters) -> Result<Vec<String>, ApiError> {
    let list = parameters.text("symbol").ok_or_else(ApiError::unknown_symbol)?;
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut symbols: Vec<String> = Vec::new();
    for name in names {
        if !symbols.iter().any(|known| known == name) {
            symbols.push(name.to_owned());
        }
    }
    match symbols.len() {
        0 => Err(ApiError::unknown_symbol()),
        1..=MAX_SYMBOLS => Ok(symbols),
        _ => Err(ApiError::too_long()),
    }
}

/// Parses `interval`, which is required.
pub fn interval(parameters: &Parameters) -> Result<Interval, ApiError> {
    let text = parameters.text("interval").unwrap_or_default();
    Interval::parse(text).ok_or_else(|| ApiError::invalid_interval(text))
}

/// Parses the parameters that distinguish instruments with the same symbol.
pub fn filters(parameters: &Parameters) -> Filters {
    Filters {
        exchange: parameters.owned("exchange"),
        mic_code: parameters.owned("mic_code"),
        country: parameters.owned("country"),
        kind: parameters.owned("type"),
    }
}

fn adjusted(parameters: &Parameters) -> Result<bool, ApiError> {
    let modes = [("all", true), ("splits", true), ("dividends", false), ("none", false)];
    parameters.one_of("adjust", &modes, true)
}
