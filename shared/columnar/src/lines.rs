//! Encodes lines of clean CSV.

use std::mem;

use candlewick_shared::core::clean_csv::{self, NotClean};
use candlewick_shared::core::key::Series;
use thiserror::Error;

use crate::batch::{BatchError, batch};
use crate::encode::{EncodeError, Encoder, Form};
use crate::names::Names;
use crate::number::DoesNotFit;
use crate::schema::schema;

/// How many bytes of lines become a batch: about 16 thousand rows.
const BATCH: usize = 1 << 20;

/// Why lines could not be encoded.
#[derive(Debug, Error)]
pub enum LinesError {
    /// They are not clean CSV of the series.
    #[error(transparent)]
    NotClean(#[from] NotClean),
    /// Their candles could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl LinesError {
    /// Returns the value that has too many digits, if that is the reason.
    #[must_use]
    pub fn does_not_fit(&self) -> Option<&DoesNotFit> {
        match self {
            Self::Encode(EncodeError::Batch(BatchError::DoesNotFit(value))) => Some(value),
            _ => None,
        }
    }
}

/// Encodes lines of clean CSV, series by series.
pub struct LineEncoder {
    names: Names,
    encoder: Encoder,
    waiting: Vec<u8>,
}

impl LineEncoder {
    /// Begins a file of these series, as [`Encoder::new`] does.
    ///
    /// # Errors
    ///
    /// Returns an [`EncodeError`] if the schema cannot be written.
    pub fn new(form: Form, series: &[Series], about: &[(String, String)]) -> Result<Self, EncodeError> {
        let encoder = Encoder::new(form, &schema(), about)?;
        Ok(Self { names: Names::of(series), encoder, waiting: Vec::new() })
    }

    /// Adds whole lines of a series, and returns the bytes that are final.
    ///
    /// # Errors
    ///
    /// Returns a [`LinesError`] if they are not clean CSV or a value has too many digits.
    pub fn add(&mut self, series: &Series, lines: &[u8]) -> Result<Vec<u8>, LinesError> {
        self.waiting.extend_from_slice(lines);
        if self.waiting.len() < BATCH { Ok(Vec::new()) } else { self.end_series(series) }
    }

    /// Encodes the lines of a series that still wait.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    pub fn end_series(&mut self, series: &Series) -> Result<Vec<u8>, LinesError> {
        let lines = mem::take(&mut self.waiting);
        self.encode(series, &lines)
    }

    /// Returns the last bytes.
    ///
    /// # Errors
    ///
    /// Returns an [`EncodeError`] if the footer cannot be written.
    pub fn finish(self) -> Result<Vec<u8>, EncodeError> {
        self.encoder.finish()
    }

    fn encode(&mut self, series: &Series, lines: &[u8]) -> Result<Vec<u8>, LinesError> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let rows = clean_csv::read_rows(lines, series)?;
        let batch = batch(&self.names, series, &rows.candles).map_err(EncodeError::from)?;
        Ok(self.encoder.push(&batch)?)
    }
}

/// Encodes a text of clean CSV as one Parquet file. The same candles always give the same bytes.
///
/// # Errors
///
/// Returns a [`LinesError`] if it is not clean CSV of the series or a value has too many digits.
pub fn parquet(series: &Series, clean: &[u8], about: &[(String, String)]) -> Result<Vec<u8>, LinesError> {
    let mut encoder = LineEncoder::new(Form::Parquet, std::slice::from_ref(series), about)?;
    let mut rest = after_line(clean, 0);
    let mut bytes = Vec::new();
    while !rest.is_empty() {
        let after = after_line(rest, BATCH.min(rest.len()) - 1);
        bytes.extend(encoder.encode(series, &rest[..rest.len() - after.len()])?);
        rest = after;
    }
    bytes.extend(encoder.finish()?);
    Ok(bytes)
}

/// The text after the first line that ends at or after this position.
fn after_line(text: &[u8], from: usize) -> &[u8] {
    let end = text.iter().skip(from).position(|byte| *byte == b'\n');
    end.map_or(&[], |end| &text[from + end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use crate::read::read;

    fn series() -> Series {
        Series { symbol: "AAPL".parse().unwrap(), interval: "1min".parse().unwrap() }
    }

    /// More lines than fit into one batch.
    fn minutes() -> String {
        let line = |minute: u32| {
            let time = format!("2024-12-{:02}T{:02}:{:02}:00Z", 1 + minute / 1440, minute / 60 % 24, minute % 60);
            format!("AAPL,1min,{time},{minute}.5,{minute}.75,{minute},{minute}.625,{minute},true,false\n")
        };
        clean_csv::COLUMNS.join(",") + "\n" + &(1..30_000).map(line).collect::<String>()
    }

    #[test]
    fn pieces_of_a_text_give_what_the_whole_gives() {
        let text = minutes();
        assert!(text.len() > 2 * BATCH);
        let candles = clean_csv::read(text.as_bytes(), &series()).unwrap().candles;
        let expected = batch(&Names::of(&[series()]), &series(), &candles).unwrap();
        let file = read(parquet(&series(), text.as_bytes(), &[]).unwrap().into()).unwrap();
        let mut at = 0;
        for batch in file.batches {
            assert!(expected.slice(at, batch.num_rows()) == batch, "the rows from {at} on differ");
            at += batch.num_rows();
        }
        assert_eq!(at, candles.len());
    }

    #[test]
    fn a_text_without_rows_is_a_file_without_rows() {
        let header = clean_csv::COLUMNS.join(",") + "\n";
        assert_eq!(parquet(&series(), header.as_bytes(), &[]).unwrap(), encode::parquet(&series(), &[], &[]).unwrap());
    }

    #[test]
    fn a_value_that_does_not_fit_is_the_reason() {
        let text = minutes().replace(",7.75,", ",7.0000000000000000000001,");
        let error = parquet(&series(), text.as_bytes(), &[]).unwrap_err();
        let value = error.does_not_fit().unwrap();
        assert_eq!((value.column, value.time.as_str()), ("high", "2024-12-01T00:07:00Z"));
    }
}
