//! Turns lines of clean CSV into the bytes of an exported file.

use std::mem;

use anyhow::Context;
use candlewick_columnar::encode::Form;
use candlewick_columnar::lines::LineEncoder;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::key::Series;

use super::target::Format;

/// The bytes of a file, written piece by piece.
pub enum Encoding {
    /// The lines as they are, after the header.
    Lines { is_begun: bool },
    /// Record batches of the lines.
    Columns(Box<LineEncoder>),
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
        let encoder = LineEncoder::new(form, series, &about(series)).context("begin the file")?;
        Ok(Self::Columns(Box::new(encoder)))
    }

    /// Adds whole lines of a series, and returns the bytes that are final.
    pub fn add(&mut self, series: &Series, chunk: &[u8]) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Lines { is_begun } => Ok([header(is_begun).as_bytes(), chunk].concat()),
            Self::Columns(encoder) => encoder.add(series, chunk).with_context(|| format!("export {series}")),
        }
    }

    /// Encodes the lines of a series that wait for others.
    pub fn end_series(&mut self, series: &Series) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Lines { .. } => Ok(Vec::new()),
            Self::Columns(encoder) => encoder.end_series(series).with_context(|| format!("export {series}")),
        }
    }

    /// Ends the file.
    pub fn finish(self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Lines { mut is_begun } => Ok(header(&mut is_begun).into_bytes()),
            Self::Columns(encoder) => encoder.finish().context("end the file"),
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
