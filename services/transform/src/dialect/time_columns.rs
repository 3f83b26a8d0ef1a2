//! Picks the columns that the time of a row is read from.

use candlewick_shared::core::raw_csv::cells::{Cells, line};
use candlewick_shared::core::raw_csv::{Header, Unreadable};
use candlewick_shared::core::time_text::TimeText;
use jiff::tz::TimeZone;

use super::layout::Layout;
use super::moment::{Moment, Zone, clock};
use super::names::{self, Role};
use super::numbers::{self, Mark};

/// How many rows are inspected.
const LOOKED_AT: usize = 50;

/// Which part of a time a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A date without a time of day.
    Date,
    /// A date and a time of day.
    Local,
    /// A date and a time of day with an offset or a zone, or Unix time.
    Instant,
    /// A time of day without a date.
    Clock,
}

/// The kind of a cell; `None` if it is not part of a time.
pub fn kind(cell: &str) -> Option<Kind> {
    match TimeText::read(cell) {
        Some(TimeText::Date(_)) => return Some(Kind::Date),
        Some(TimeText::Local(_)) => return Some(Kind::Local),
        Some(TimeText::Instant(..)) => return Some(Kind::Instant),
        None => {}
    }
    match Moment::read(cell) {
        Some(Moment { zone: Zone::Offset(_) | Zone::Named(_), .. }) => Some(Kind::Instant),
        Some(Moment { time: Some(_), .. }) => Some(Kind::Local),
        Some(_) => Some(Kind::Date),
        None => clock(cell).map(|_| Kind::Clock),
    }
}

/// The columns of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeColumns {
    /// The column of the date, or of the full time.
    pub field: usize,
    /// The column of the time of day, if it is separate.
    pub clock: Option<usize>,
    /// The time zone in the name of the column.
    pub zone: Option<TimeZone>,
    /// Whether its times are local and its name has an abbreviation that several zones share.
    pub is_zone_unclear: bool,
}

/// Picks the columns by their names and by the content of the first rows.
pub fn pick(text: &[u8], layout: &Layout, is_intraday: bool) -> Result<Option<TimeColumns>, Unreadable> {
    let rows = sample(text, layout);
    let kinds: Vec<Option<Kind>> = (0..layout.columns.names.len()).map(|field| kind_of(&rows, field)).collect();
    let named: Vec<usize> = layout.columns.times.iter().copied().chain(layout.columns.clock).collect();
    let of_kind =
        |wanted: Kind| named.iter().copied().filter(|field| kinds[*field] == Some(wanted)).collect::<Vec<_>>();
    // The time at which a session begins is not part of the date of a daily candle.
    let clock = of_kind(Kind::Clock).into_iter().find(|field| is_intraday || !is_beginning(layout, *field));
    let wanted = match is_intraday {
        true => [Kind::Instant, Kind::Local, Kind::Date],
        false => [Kind::Date, Kind::Local, Kind::Instant],
    };
    let found = wanted.into_iter().map(of_kind).find(|fields| !fields.is_empty());
    let field = match found {
        Some(fields) => Some(one_of(&fields, &rows, layout)?),
        None => unnamed(layout, &kinds),
    };
    Ok(field.map(|field| {
        let clock = clock.filter(|_| kinds[field] == Some(Kind::Date));
        let names = || std::iter::once(field).chain(clock).map(|at| layout.columns.names[at].as_str());
        let zone = names().find_map(zone_in);
        let is_local = kinds[field] == Some(Kind::Local) || clock.is_some();
        let is_zone_unclear = is_local && zone.is_none() && names().any(has_unclear_zone);
        TimeColumns { field, clock, zone, is_zone_unclear }
    }))
}

/// The cells of the first rows that have a price.
fn sample(text: &[u8], layout: &Layout) -> Vec<Cells> {
    let mut rows = Vec::new();
    let mut at = layout.body;
    while at < text.len() && rows.len() < LOOKED_AT {
        let (length, line_break) = line(text, at);
        let mut cells = Cells::new(layout.delimiter);
        if cells.split(&text[at..at + length]).is_ok() && has_price(&cells, layout) {
            rows.push(cells);
        }
        at += length + line_break;
    }
    rows
}

/// Whether the cell of the close is a number.
pub fn has_price(cells: &Cells, layout: &Layout) -> bool {
    let cell = std::str::from_utf8(cells.get(layout.columns.prices[3])).unwrap_or_default();
    [Mark::Point, Mark::Comma].into_iter().any(|mark| numbers::read(cell, mark, false).is_some())
}

fn cell(row: &Cells, field: usize) -> &str {
    std::str::from_utf8(row.get(field)).unwrap_or_default()
}

/// Whether a header of raw CSV has a time in a column that raw CSV does not know: next to `time`, a date; next to
/// `timestamp`, the beginning of the candle, which may then be its end.
pub fn are_elsewhere(header: &Header) -> bool {
    let plain: Vec<String> = header.names.iter().map(|name| names::plain(name)).collect();
    let has = |accepted: &[&str]| plain.iter().any(|name| accepted.contains(&name.as_str()));
    match plain[header.time].as_str() {
        "time" => names::of(Role::Time).any(has),
        "timestamp" => has(names::BEGINNINGS),
        _ => false,
    }
}

/// The kind of more than half of the cells in a column.
fn kind_of(rows: &[Cells], field: usize) -> Option<Kind> {
    [Kind::Instant, Kind::Local, Kind::Date, Kind::Clock].into_iter().find(|wanted| {
        let count = rows.iter().filter(|row| kind(cell(row, field)) == Some(*wanted)).count();
        count * 2 > rows.len()
    })
}

/// Whether a column is named as the beginning of a candle.
fn is_beginning(layout: &Layout, field: usize) -> bool {
    layout.columns.names.get(field).is_some_and(|name| names::BEGINNINGS.contains(&names::plain(name).as_str()))
}

/// The column of the candle's beginning, or else the first of several columns if all of them have the same content.
fn one_of(fields: &[usize], rows: &[Cells], layout: &Layout) -> Result<usize, Unreadable> {
    if let Some(beginning) = fields.iter().find(|field| is_beginning(layout, **field)) {
        return Ok(*beginning);
    }
    let read = |row: &Cells, field: usize| (TimeText::read(cell(row, field)), cell(row, field).to_owned());
    let says_other = |field: &&usize| {
        rows.iter().any(|row| match (read(row, fields[0]), read(row, **field)) {
            ((Some(one), _), (Some(other), _)) => !is_same(one, other),
            ((_, one), (_, other)) => one != other,
        })
    };
    match fields.iter().skip(1).find(says_other) {
        None => Ok(fields[0]),
        Some(other) => {
            let names = [fields[0], *other].map(|at| format!("{} {:?}", at + 1, layout.columns.names[at]));
            Err(Unreadable::AmbiguousColumn { column: "datetime", names: names.join(" and ") })
        }
    }
}

fn is_same(one: TimeText, other: TimeText) -> bool {
    match (one, other) {
        (TimeText::Instant(one, _), TimeText::Instant(other, _)) => one == other,
        _ => one == other,
    }
}

/// The only column without a role that has dates: R and pandas do not name the index. A number is only taken for Unix
/// time in the first column.
fn unnamed(layout: &Layout, kinds: &[Option<Kind>]) -> Option<usize> {
    let is_time = |field: &usize| match kinds[*field] {
        Some(Kind::Date | Kind::Local) => true,
        Some(Kind::Instant) => *field == 0,
        _ => false,
    };
    let mut fields = layout.columns.unused().filter(is_time);
    let field = fields.next()?;
    fields.next().is_none().then_some(field)
}

/// Abbreviations of zones that are used for several of them, or for a zone with and without daylight saving time.
const UNCLEAR: [&str; 33] = [
    "acst", "aest", "aedt", "akst", "bst", "cdt", "cest", "cet", "cst", "ct", "eastern", "edt", "eest", "est", "et",
    "exchange", "gst", "hkt", "hst", "ist", "jst", "kst", "local", "mdt", "msk", "mst", "mt", "pdt", "pst", "pt",
    "sgt", "wet", "ny",
];

/// Whether the name of a column has an abbreviation of a zone, or an offset such as `UTC+2`.
fn has_unclear_zone(name: &str) -> bool {
    words(name).any(|word| {
        let lower = word.to_ascii_lowercase();
        let is_offset = ["utc+", "utc-", "gmt+", "gmt-"].iter().any(|beginning| lower.starts_with(beginning));
        is_offset || UNCLEAR.contains(&lower.as_str())
    })
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '_' | ','))
        .filter(|word| !word.is_empty())
}

/// The time zone in the name of a column: `Gmt time`, `Time (UTC)`, `Date (America/New_York)`.
fn zone_in(name: &str) -> Option<TimeZone> {
    words(name).find_map(|word| match word.to_ascii_lowercase().as_str() {
        "utc" | "gmt" => Some(TimeZone::UTC),
        "eet" => TimeZone::get("EET").ok(),
        _ if word.contains('/') => TimeZone::get(word).ok(),
        _ => None,
    })
}
