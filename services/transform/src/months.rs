//! Splits a file into months, because intraday candles are stored by month.

use std::collections::{BTreeMap, BTreeSet};

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::key::Month;
use candlewick_shared::core::raw_csv::COLUMNS;
use candlewick_shared::core::raw_csv::cells::{Cells, line};

use crate::raw::Raw;
use crate::row::Row;

/// The rows of one month, below a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthText {
    /// The month in UTC.
    pub month: Month,
    /// Raw CSV.
    pub text: Vec<u8>,
    /// The time zone of times without an offset, if the file was converted to raw CSV.
    pub timezone: Option<String>,
}

/// Splits the lines of a file by the months that have candles. A line without such a month stays with the line before
/// it.
pub fn split(raw: &Raw<'_>, rows: &[Row]) -> Vec<MonthText> {
    let of = |time: CandleTime| time.date().map(Month::of);
    let known: BTreeSet<Month> = rows.iter().filter_map(|row| of(row.time)).collect();
    let timezone = raw.foreign.as_ref().and_then(|_| raw.zone.iana_name()).map(str::to_owned);
    let mut months: BTreeMap<Month, Vec<u8>> = BTreeMap::new();
    let mut unplaced = Vec::new();
    let mut month = None;
    each_line(raw, |row, time| {
        month = time.and_then(of).filter(|month| known.contains(month)).or(month);
        let text = match month {
            Some(month) => months.entry(month).or_insert_with(|| header(raw)),
            None => &mut unplaced,
        };
        text.extend_from_slice(row);
        text.push(b'\n');
    });
    if let Some(mut first) = months.first_entry() {
        first.get_mut().extend_from_slice(&unplaced);
    }
    months.into_iter().map(|(month, text)| MonthText { month, text, timezone: timezone.clone() }).collect()
}

/// Calls `call` with each row as raw CSV and with the time in it, if that can be read.
fn each_line(raw: &Raw<'_>, mut call: impl FnMut(&[u8], Option<CandleTime>)) {
    let mut cells = raw.cells();
    let mut at = raw.body;
    let times = raw.rules().times;
    while at < raw.text.len() {
        let (length, line_break) = line(&raw.text, at);
        let row = &raw.text[at..at + length];
        let is_split = cells.split(row).is_ok();
        let time = is_split.then(|| times.spoken_of(cells.get(raw.header.time))).flatten();
        match raw.foreign.is_some() && is_split {
            true => call(&canonical(raw, &cells), time),
            false => call(row, time),
        }
        at += length + line_break;
    }
}

/// The lines above the rows: those of the file itself if it is raw CSV, otherwise the standard header.
fn header(raw: &Raw<'_>) -> Vec<u8> {
    if raw.foreign.is_none() {
        return raw.text[..raw.body].to_vec();
    }
    let names = COLUMNS.into_iter().take(if raw.header.volume.is_some() { 6 } else { 5 });
    let mut header = names.collect::<Vec<_>>().join(",").into_bytes();
    header.push(b'\n');
    header
}

/// The cells of a row that are read, in the standard order. A row with too few cells still has too few.
fn canonical(raw: &Raw<'_>, cells: &Cells) -> Vec<u8> {
    let header = &raw.header;
    let fields = std::iter::once(header.time).chain(header.prices).chain(header.volume);
    let has_all = cells.count() >= header.fields_read();
    let texts: Vec<String> = match cells.are_empty() {
        true => return Vec::new(),
        false => {
            fields.filter(|field| has_all || *field < cells.count()).map(|field| quoted(cells.get(field))).collect()
        }
    };
    texts.join(",").into_bytes()
}

fn quoted(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into_owned() }
}
