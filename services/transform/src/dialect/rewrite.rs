//! The rows of a file in the terms of raw CSV: the same lines and the same cells, with those written anew that raw CSV writes
//! otherwise.

use std::borrow::Cow;

use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::raw_csv::cells::{Cells, line};
use candlewick_shared::core::time_text::TimeText;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::layout::Layout;
use super::moment::{Moment, Order, Zone, clock};
use super::numbers::{self, Mark};
use super::survey::text;
use super::time_columns::TimeColumns;

/// How the cells of a file are read.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// Where the time is.
    pub times: TimeColumns,
    /// The order of dates.
    pub order: Order,
    /// Whether there is a date of which that has to be known.
    pub has_open_dates: bool,
    /// The form of times, where the owner says it.
    pub date_format: Option<&'a str>,
    /// The mark of decimals.
    pub mark: Mark,
    /// Whether that is said, so that a cell that does not fit is no number.
    pub is_mark_said: bool,
    /// Whether prices are in units of 10⁻⁹.
    pub are_prices_scaled: bool,
    /// The zone that all times name: they are then local times in it.
    pub zone: Option<TimeZone>,
    /// Where the first and the last row are: lines before and after them are remarks.
    pub rows: (usize, usize),
}

/// The text of a file in the terms of raw CSV.
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// The text, with as many lines as before.
    pub text: Vec<u8>,
    /// How many lines were remarks, and are empty now.
    pub remarks: u64,
}

/// Databento's word for no price.
const NO_PRICE: &str = "9223372036854775807";

/// A mark before a cell that nothing may read: it is none in the form that its owner said.
const NOT_SO: &str = "?";

/// Writes the text anew.
pub fn rewrite(text: &[u8], layout: &Layout, terms: &Terms<'_>) -> Rewritten {
    let mut rewritten = Rewritten { text: Vec::with_capacity(text.len() + text.len() / 8), remarks: 0 };
    rewritten.text.extend_from_slice(&text[..layout.body]);
    let mut writer = Writer { layout, terms, rewritten };
    let mut cells = Cells::new(layout.delimiter);
    let mut at = layout.body;
    while at < text.len() {
        let (length, line_break) = line(text, at);
        writer.line(at, &text[at..at + length], &mut cells);
        writer.rewritten.text.extend_from_slice(&text[at + length..at + length + line_break]);
        at += length + line_break;
    }
    writer.rewritten
}

struct Writer<'a> {
    layout: &'a Layout,
    terms: &'a Terms<'a>,
    rewritten: Rewritten,
}

impl Writer<'_> {
    fn line(&mut self, at: usize, line: &[u8], cells: &mut Cells) {
        let (first, last) = self.terms.rows;
        let is_blank = line.trim_ascii().is_empty();
        if is_blank || cells.split(line).is_err() {
            self.rewritten.text.extend_from_slice(line);
        } else if at < first || at > last || is_comment(line) {
            self.rewritten.remarks += 1;
        } else {
            self.row(line, cells);
        }
    }

    /// Writes a row, cell by cell if any of them changes.
    fn row(&mut self, line: &[u8], cells: &Cells) {
        let changed: Vec<(usize, Cow<'_, str>)> =
            (0..cells.count()).filter_map(|field| Some((field, self.changed(field, cells)?))).collect();
        let out = &mut self.rewritten.text;
        if changed.is_empty() {
            return out.extend_from_slice(line);
        }
        for field in 0..cells.count() {
            if field > 0 {
                out.push(self.layout.delimiter);
            }
            let new = changed.iter().find(|(of, _)| *of == field).map(|(_, text)| text.as_bytes());
            write_cell(out, new.unwrap_or(cells.get(field)), self.layout.delimiter);
        }
    }

    /// What a cell is in the terms of raw CSV, if that is something else.
    fn changed<'c>(&self, field: usize, cells: &'c Cells) -> Option<Cow<'c, str>> {
        let columns = &self.layout.columns;
        let cell = text(cells, field);
        let is_volume = columns.volume == Some(field) || columns.tick_volume == Some(field);
        match field {
            _ if field == self.terms.times.field => {
                self.terms.time(cell, self.terms.times.clock.map(|at| text(cells, at)))
            }
            _ if columns.prices.contains(&field) => self.terms.price(cell),
            _ if is_volume => self.terms.number(cell, true),
            _ => None,
        }
    }
}

fn is_comment(line: &[u8]) -> bool {
    line.starts_with(b"#") || line.starts_with(b"//")
}

fn write_cell(out: &mut Vec<u8>, cell: &[u8], delimiter: u8) {
    if !cell.contains(&delimiter) && !cell.contains(&b'"') {
        return out.extend_from_slice(cell);
    }
    out.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

impl Terms<'_> {
    fn price<'c>(&self, cell: &'c str) -> Option<Cow<'c, str>> {
        match self.are_prices_scaled {
            true if cell == NO_PRICE => Some(Cow::Borrowed("")),
            true if !cell.is_empty() => Some(format!("{cell}e-9").into()),
            _ => self.number(cell, false),
        }
    }

    fn number<'c>(&self, cell: &'c str, has_unit: bool) -> Option<Cow<'c, str>> {
        match numbers::read(cell, self.mark, has_unit) {
            Some(Cow::Borrowed(_)) => None,
            Some(Cow::Owned(number)) => Some(number.into()),
            None if self.is_mark_said && Decimal::parse(cell.as_bytes()).is_ok() => {
                Some(format!("{NOT_SO}{cell}").into())
            }
            None => None,
        }
    }

    /// The time in a form that raw CSV has.
    fn time<'c>(&self, cell: &'c str, clock_cell: Option<&str>) -> Option<Cow<'c, str>> {
        if let Some(format) = self.date_format {
            let joined = clock_cell.map_or(cell.to_owned(), |clock| format!("{cell} {clock}"));
            let read = by_format(format, &joined)
                .or_else(|| by_format(format, cell).map(|date| with_clock(&date, clock_cell)));
            return Some(read.unwrap_or_else(|| format!("{NOT_SO}{cell}")).into());
        }
        let known = TimeText::read(cell);
        match (known, clock_cell) {
            (Some(TimeText::Date(date)), Some(clock)) => Some(with_clock(&date.to_string(), Some(clock)).into()),
            (Some(_), _) => None,
            (None, clock) => {
                let moment = Moment::read(cell)?;
                let date = moment.date(self.order)?;
                Some(match (moment.time, clock) {
                    (None, Some(clock)) => with_clock(&date.to_string(), Some(clock)).into(),
                    (None, None) if moment.zone == Zone::Unsaid => date.to_string().into(),
                    _ => self.at(moment.civil(date), moment.zone).into(),
                })
            }
        }
    }

    fn at(&self, civil: DateTime, zone: Zone<'_>) -> String {
        let local = civil.strftime("%Y-%m-%d %H:%M:%S");
        match zone {
            Zone::Unsaid => local.to_string(),
            Zone::Offset(offset) => format!("{local}{offset}"),
            Zone::Named(_) if self.zone.is_some() => local.to_string(),
            Zone::Named(name) => {
                let instant = TimeZone::get(name).and_then(|zone| zone.to_ambiguous_timestamp(civil).compatible());
                instant.map_or(local.to_string(), |instant| instant.to_string())
            }
        }
    }
}

/// A date with the time of day of another cell, as it is where that is none.
fn with_clock(date: &str, cell: Option<&str>) -> String {
    match cell.map(|cell| (cell, clock(cell))) {
        None => date.to_owned(),
        Some((_, Some(time))) => format!("{date} {}", time.strftime("%H:%M:%S")),
        Some((cell, None)) => format!("{date} {cell}"),
    }
}

/// A time by the form that its owner says, in the terms of strftime.
fn by_format(format: &str, cell: &str) -> Option<String> {
    let read = BrokenDownTime::parse(format, cell).ok()?;
    if let Ok(instant) = read.to_timestamp() {
        return Some(instant.to_string());
    }
    match (read.to_datetime(), read.to_date()) {
        (Ok(civil), _) if read.hour().is_some() => Some(civil.strftime("%Y-%m-%d %H:%M:%S").to_string()),
        (_, Ok(date)) => Some(date.to_string()),
        _ => None,
    }
}
