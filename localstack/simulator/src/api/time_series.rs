//! `GET /time_series`: candles of one or several symbols.

use serde_json::Value;

use super::csv;
use super::defects::{self, Defect, Place};
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

/// The most symbols of one request. The API documents that there is a limit, but not which.
const MOST_SYMBOLS: usize = 120;

/// A request that could be understood. `prepost` is read and has no effect. `adjust` decides on the splits that were
/// set at run time only: recorded candles are adjusted for older splits whatever it says, and nothing knows dividends.
#[derive(Clone, Debug)]
pub struct TimeSeries {
    /// The symbols as they were written; never empty.
    pub symbols: Vec<String>,
    pub interval: Interval,
    /// JSON or CSV.
    pub format: Format,
    filters: Filters,
    window: Window,
    ascending: bool,
    decimals: Decimals,
    adjusted: bool,
    with_previous: bool,
}

/// What an answer to one symbol is built from besides the request.
#[derive(Clone, Debug)]
pub struct Surroundings<'a> {
    /// Instruments and seed.
    pub world: &'a World,
    /// The instant of the request.
    pub now: Timestamp,
    /// All splits.
    pub splits: &'a [Split],
    /// The defects of this symbol's data.
    pub defects: &'a [Defect],
}

/// How an answer with status ok is spoiled by a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Not at all.
    Whole,
    /// Every fifth row has null prices.
    Nulls,
    /// There is no `values`.
    NoValues,
    /// `values` is empty.
    EmptyValues,
    /// Only the two newest rows are there.
    Short,
    /// Every tenth row is left out.
    Holes,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A JSON document.
    Json(Document),
    /// Delimited text.
    Csv(String),
}

impl TimeSeries {
    /// Reads the parameters.
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

    /// The answer for one of the symbols.
    pub fn answer(&self, symbol: &str, around: &Surroundings<'_>, shape: Shape) -> Result<Body, ApiError> {
        let instrument = around.world.catalog.find(symbol, &self.filters)?;
        let sheet = self.sheet(&instrument, around)?;
        Ok(match self.format {
            Format::Json => Body::Json(json_body(&instrument, &sheet, shape)),
            Format::Csv { delimiter } => Body::Csv(csv_body(sheet, delimiter, shape)),
        })
    }

    fn sheet(&self, instrument: &Instrument, around: &Surroundings<'_>) -> Result<Sheet, ApiError> {
        let splits: Vec<_> = around.splits.iter().filter(|split| split.symbol == instrument.symbol).cloned().collect();
        let series = around.world.series(instrument);
        let feed = Feed { series, splits: &splits, adjusted: self.adjusted, now: around.now };
        let sound = self.window.rows(feed, self.interval, self.with_previous);
        let zone = self.window.shown_zone(instrument.calendar.zone(), self.interval);
        let place = Place { noise: series.noise(), interval: self.interval, now: zone.to_datetime(around.now) };
        let rows = defects::apply(around.defects, sound, place);
        let interval = self.interval;
        let decimals = self.decimals;
        let with_previous = self.with_previous;
        let ascending = self.ascending;
        let sheet = Sheet { interval, decimals, with_previous, ascending, rows };
        if sheet.rows.is_empty() { Err(ApiError::no_data()) } else { Ok(sheet) }
    }
}

impl Body {
    /// A JSON answer in the format asked for.
    pub fn in_format(answer: Value, format: Format) -> Self {
        match format {
            Format::Json => Self::Json(answer.into()),
            Format::Csv { delimiter } => Self::Csv(csv::of_answer(&answer, delimiter)),
        }
    }
}

fn json_body(instrument: &Instrument, sheet: &Sheet, shape: Shape) -> Document {
    let values = match shape {
        Shape::Whole => Some(sheet.json()),
        Shape::Nulls => Some(with_nulls(sheet.clone()).json()),
        Shape::NoValues => None,
        Shape::EmptyValues => Some(Document::List(Vec::new())),
        Shape::Short | Shape::Holes => Some(forgetful(sheet.clone(), shape).json()),
    };
    let meta = ("meta", meta(instrument, sheet.interval));
    let values = values.map(|values| ("values", values));
    Document::object([meta].into_iter().chain(values).chain([("status", Document::text(Some("ok")))]))
}

fn csv_body(mut sheet: Sheet, delimiter: char, shape: Shape) -> String {
    match shape {
        Shape::Whole => sheet.csv(delimiter),
        Shape::Nulls => with_nulls(sheet).csv(delimiter),
        Shape::NoValues => String::new(),
        Shape::EmptyValues => {
            sheet.rows.clear();
            sheet.csv(delimiter)
        }
        Shape::Short | Shape::Holes => forgetful(sheet, shape).csv(delimiter),
    }
}

/// The sheet of a vendor that forgot some of it.
fn forgetful(mut sheet: Sheet, shape: Shape) -> Sheet {
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
        1..=MOST_SYMBOLS => Ok(symbols),
        _ => Err(ApiError::too_long()),
    }
}

/// `interval`, which is required.
pub fn interval(parameters: &Parameters) -> Result<Interval, ApiError> {
    let text = parameters.text("interval").unwrap_or_default();
    Interval::parse(text).ok_or_else(|| ApiError::invalid_interval(text))
}

/// The parameters that tell instruments of one symbol apart.
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
