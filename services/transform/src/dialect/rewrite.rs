//! Converts the rows of a file to raw CSV: the lines and cells stay, and cells that raw CSV writes differently are
//! replaced.

use std::borrow::Cow;

use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::raw_csv::cells::{Cells, line};
use candlewick_shared::core::time_text::TimeText;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::layout::Layout;
use super::moment::{Moment, Order, Zone, clock};
use super::numbers::{self, Mark};
use super::survey::text;
use super::time_columns::TimeColumns;

/// How the cells of a file are read.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// The columns of the time.
    pub times: TimeColumns,
    pub order: Order,
    /// Whether the reading of any date depends on the order.
    pub has_open_dates: bool,
    /// The strftime format of times, if the owner set it.
    pub date_format: Option<&'a str>,
    /// The decimal mark.
    pub mark: Mark,
    /// Whether the owner set the mark, so that a cell which does not match it is not a number.
    pub is_mark_said: bool,
    /// Whether prices are in units of 10⁻⁹.
    pub are_prices_scaled: bool,
    /// The zone of local times, if the file or the owner gives one.
    pub zone: Option<TimeZone>,
    /// Whether all times name that zone; they are written as local times of it.
    pub are_zones_named: bool,
    /// The offsets of the first and the last row. Lines before and after them are remarks.
    pub rows: (usize, usize),
}

/// A file converted to raw CSV.
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// The text, with as many lines as the file.
    pub text: Vec<u8>,
    /// How many lines were remarks; they are now blank.
    pub remarks: u64,
}

/// Databento's placeholder for a missing price.
const NO_PRICE: &str = "9223372036854775807";

/// Prefix that makes a cell unreadable, because it does not match the form that the owner set.
const NOT_SO: &str = "?";

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
            // An empty line would be none at the end of the text, and would join a `\r` before it with a `\n` after it.
            self.rewritten.text.push(b' ');
        } else {
            self.row(line, cells);
        }
    }

    /// Writes a row, and splits it into cells only if one of them changes.
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

    /// The cell in the form of raw CSV, if that differs.
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
                    _ => self.at(moment.civil(date), moment.zone)?.into(),
                })
            }
        }
    }

    /// The time in a zone; `None` if clocks in a zone that only some times name skip or repeat it.
    fn at(&self, civil: DateTime, zone: Zone<'_>) -> Option<String> {
        let local = civil.strftime("%Y-%m-%d %H:%M:%S");
        match zone {
            Zone::Unsaid => Some(local.to_string()),
            Zone::Named(_) if self.are_zones_named => Some(local.to_string()),
            Zone::Offset(offset) => Some(format!("{local}{offset}")),
            Zone::Named(name) => match TimeZone::get(name).ok()?.to_ambiguous_timestamp(civil).offset() {
                AmbiguousOffset::Unambiguous { offset } => Some(format!("{local}{offset}")),
                AmbiguousOffset::Gap { .. } | AmbiguousOffset::Fold { .. } => None,
            },
        }
    }
}

/// Appends the time of day in another cell to a date; a cell that is not a time of day is appended as it is.
fn with_clock(date: &str, cell: Option<&str>) -> String {
    match cell.map(|cell| (cell, clock(cell))) {
        None => date.to_owned(),
        Some((_, Some(time))) => format!("{date} {}", time.strftime("%H:%M:%S")),
        Some((cell, None)) => format!("{date} {cell}"),
    }
}

/// Parses a time with the owner's strftime format.
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
