//! Quarantined rows and their reasons.

use std::io::Write;

use candlewick_shared::core::raw_csv::cells;

use crate::explain::Explain;
use crate::fault::{Fault, QuarantinedRow};

/// A quarantined row as quarantine CSV has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined<'a> {
    /// Its line in the raw object, from 1.
    pub line: u64,
    pub fault: Fault,
    /// The row as the source wrote it.
    pub row: &'a [u8],
    /// A description of the fault: `8 cells for 6`.
    pub detail: String,
}

/// Describes quarantined rows, which must be in the order of `text`. `original` has the same lines as `text`, and its
/// rows are reported. Lines are counted only here, because few rows are quarantined and no others need it.
pub fn quarantined<'a>(
    text: &'a [u8],
    original: &'a [u8],
    mut explain: Explain<'a>,
    quarantined: &[QuarantinedRow],
) -> impl Iterator<Item = Quarantined<'a>> {
    let mut line = 1;
    let mut counted = 0;
    let mut at = 0;
    quarantined.iter().map(move |&QuarantinedRow { start, fault, .. }| {
        let passed = line_breaks(&text[counted..start]);
        line += passed;
        counted = start;
        at = after_lines(original, at, passed);
        let detail = explain.detail(line_at(text, start), fault);
        Quarantined { line, fault, row: line_at(original, at), detail }
    })
}

/// The line that begins at `start`.
fn line_at(text: &[u8], start: usize) -> &[u8] {
    let (length, _) = cells::line(text, start);
    text.get(start..start + length).unwrap_or_default()
}

/// The offset of the line that is `lines` lines after the one at `at`.
fn after_lines(text: &[u8], mut at: usize, lines: u64) -> usize {
    for _ in 0..lines {
        let (length, line_break) = cells::line(text, at);
        at += length + line_break;
    }
    at
}

/// The number of the line that begins at `start`, from 1.
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

/// Writes quarantine CSV, in the order of lines: `line,column,reason,row,detail`.
pub fn write<'a>(quarantined: impl Iterator<Item = Quarantined<'a>>, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["line", "column", "reason", "row", "detail"])?;
    for Quarantined { line, fault: Fault { column, reason }, row, detail } in quarantined {
        let fields = [column.as_bytes(), reason.code().as_bytes(), row, detail.as_bytes()];
        writer.write_record(std::iter::once(line.to_string().as_bytes()).chain(fields))?;
    }
    Ok(writer.flush()?)
}
