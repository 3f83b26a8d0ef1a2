//! The rows that were set aside, with their reasons.

use std::io::Write;

use candlewick_shared::core::raw_csv::cells;

use crate::explain::Explain;
use crate::fault::{Fault, SetAside};

/// A row that was set aside, as quarantine CSV has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined<'a> {
    /// The line that it is in the raw object, from 1.
    pub line: u64,
    /// Why it is no candle.
    pub fault: Fault,
    /// The row as it came.
    pub row: &'a [u8],
    /// What is wrong with it, in words: `8 cells for 6`.
    pub detail: String,
}

/// The rows that were set aside, given in the order of the text, as they are in the original of that text, which has the same
/// lines. Lines are counted only now: hardly a row is set aside, and the others need none.
pub fn quarantined<'a>(
    text: &'a [u8],
    original: &'a [u8],
    mut explain: Explain<'a>,
    aside: &[SetAside],
) -> impl Iterator<Item = Quarantined<'a>> {
    let mut line = 1;
    let mut counted = 0;
    let mut at = 0;
    aside.iter().map(move |&SetAside { start, fault, .. }| {
        let passed = line_breaks(&text[counted..start]);
        line += passed;
        counted = start;
        at = after_lines(original, at, passed);
        let detail = explain.detail(line_at(text, start), fault);
        Quarantined { line, fault, row: line_at(original, at), detail }
    })
}

/// The line that begins at a place of a text.
fn line_at(text: &[u8], start: usize) -> &[u8] {
    let (length, _) = cells::line(text, start);
    text.get(start..start + length).unwrap_or_default()
}

/// Where the line begins that is so many lines after the one at a place.
fn after_lines(text: &[u8], mut at: usize, lines: u64) -> usize {
    for _ in 0..lines {
        let (length, line_break) = cells::line(text, at);
        at += length + line_break;
    }
    at
}

/// The line that begins at a place of a text, from 1.
pub fn line_of(text: &[u8], start: usize) -> u64 {
    1 + line_breaks(&text[..start])
}

fn line_breaks(text: &[u8]) -> u64 {
    let mut at = 0;
    let mut count = 0;
    while at < text.len() {
        let (length, line_break) = cells::line(text, at);
        at += length + line_break;
        count += u64::from(line_break > 0);
    }
    count
}

/// Writes quarantine CSV: `line,column,reason,row,detail`, by line.
pub fn write<'a>(quarantined: impl Iterator<Item = Quarantined<'a>>, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["line", "column", "reason", "row", "detail"])?;
    for Quarantined { line, fault: Fault { column, reason }, row, detail } in quarantined {
        let fields = [column.as_bytes(), reason.code().as_bytes(), row, detail.as_bytes()];
        writer.write_record(std::iter::once(line.to_string().as_bytes()).chain(fields))?;
    }
    Ok(writer.flush()?)
}
