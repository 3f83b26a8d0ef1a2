//! Turns lines of clean CSV into the bytes of an exported file.

use std::mem;

use anyhow::Context;
use candlewick_columnar::batch::batch;
use candlewick_columnar::encode::{Encoder, Form};
use candlewick_columnar::names::Names;
use candlewick_columnar::schema::schema;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::key::Series;

use super::target::Format;

/// How many bytes of lines are turned into columns at once: about 16 thousand rows.
const BATCH: usize = 1 << 20;

/// The bytes of a file, written piece by piece.
pub enum Encoding {
    /// The lines as they are, after the header.
    Lines { is_begun: bool },
    /// Record batches of the lines.
    Columns { names: Names, encoder: Box<Encoder>, lines: Vec<u8> },
}

impl Encoding {
    /// Begins a file of these series. An Arrow file that goes to a pipe is a stream.
    pub fn new(format: Format, is_pipe: bool, series: &[Series]) -> anyhow::Result<Self> {
        let form = match format {
            Format::Csv => return Ok(Self::Lines { is_begun: false }),
            Format::Parquet => Form::Parquet,
            Format::Arrow if is_pipe => Form::ArrowStream,
            Format::Arrow => Form::ArrowFile,
        };
        let encoder = Encoder::new(form, &schema(), &about(series)).context("begin the file")?;
        Ok(Self::Columns { names: Names::of(series), encoder: Box::new(encoder), lines: Vec::new() })
    }

    /// Adds whole lines of a series, and returns the bytes that are final.
    pub fn add(&mut self, series: &Series, chunk: &[u8]) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Lines { is_begun } => Ok([header(is_begun).as_bytes(), chunk].concat()),
            Self::Columns { lines, .. } => {
                lines.extend_from_slice(chunk);
                if lines.len() < BATCH { Ok(Vec::new()) } else { self.end_series(series) }
            }
        }
    }

    /// Encodes the lines of a series that wait for others.
    pub fn end_series(&mut self, series: &Series) -> anyhow::Result<Vec<u8>> {
        let Self::Columns { names, encoder, lines } = self else { return Ok(Vec::new()) };
        let lines = mem::take(lines);
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let rows = clean_csv::read_rows(&lines, series).with_context(|| format!("read candles of {series}"))?;
        let batch = batch(names, series, &rows.candles).with_context(|| format!("export {series}"))?;
        encoder.push(&batch).with_context(|| format!("export {series}"))
    }

    /// Ends the file.
    pub fn finish(self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Lines { mut is_begun } => Ok(header(&mut is_begun).into_bytes()),
            Self::Columns { encoder, .. } => encoder.finish().context("end the file"),
        }
    }
}

/// The header of a CSV file, once.
fn header(is_begun: &mut bool) -> String {
    if mem::replace(is_begun, true) { String::new() } else { format!("{}\n", clean_csv::COLUMNS.join(",")) }
}

/// What the footer of a Parquet file says: the series, if it is only one.
fn about(series: &[Series]) -> Vec<(String, String)> {
    let [one] = series else { return Vec::new() };
    let entry = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![entry("symbol", one.symbol.as_str()), entry("interval", one.interval.as_str())]
}
