//! Encodes lines of clean CSV.

use std::mem;

use arrow_array::RecordBatch;
use candlewick_shared::core::clean_csv::{self, NotClean};
use candlewick_shared::core::key::Series;
use thiserror::Error;

use crate::batch::{BatchError, Columns};
use crate::encode::{EncodeError, Encoder, Form};
use crate::names::Names;
use crate::number::DoesNotFit;
use crate::parquet_file::ParquetFile;
use crate::schema::schema;
use crate::{layout, parallel, plain};

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
        Ok(self.encoder.push(&batch_of(&self.names, series, lines)?)?)
    }
}

/// Turns whole lines of clean CSV into a record batch.
fn batch_of(names: &Names, series: &Series, lines: &[u8]) -> Result<RecordBatch, LinesError> {
    let columns = match plain::read(lines, series) {
        Some(columns) => columns,
        None => Columns::of(series, &clean_csv::read_rows(lines, series)?.candles)
            .map_err(|value| EncodeError::from(BatchError::from(value)))?,
    };
    Ok(columns.finish(names, series).map_err(|error| EncodeError::from(BatchError::from(error)))?)
}

/// Encodes a text of clean CSV as one Parquet file. The same candles always give the same bytes.
///
/// Row groups are encoded at the same time, on as many threads as there are processors.
///
/// # Errors
///
/// Returns a [`LinesError`] if it is not clean CSV of the series or a value has too many digits.
pub fn parquet(series: &Series, clean: &[u8], about: &[(String, String)]) -> Result<Vec<u8>, LinesError> {
    let names = Names::of(std::slice::from_ref(series));
    let mut file = ParquetFile::new(&schema(), about).map_err(EncodeError::from)?;
    let form = file.row_groups();
    let encode = |lines: &&[u8]| {
        let batch = batch_of(&names, series, lines)?;
        form.encode(&[batch]).map_err(|error| LinesError::from(EncodeError::from(error)))
    };
    for group in parallel::map(&pieces(clean), encode) {
        file.append(group?).map_err(EncodeError::from)?;
    }
    Ok(file.finish().map_err(EncodeError::from)?)
}

/// The lines below the header, in pieces of one row group each.
fn pieces(clean: &[u8]) -> Vec<&[u8]> {
    let mut ends = memchr::memchr_iter(b'\n', clean).map(|end| end + 1);
    let mut from = ends.next().unwrap_or(clean.len());
    let mut pieces = Vec::new();
    while from < clean.len() {
        let to = ends.by_ref().nth(layout::ROWS - 1).unwrap_or(clean.len());
        pieces.push(&clean[from..to]);
        from = to;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::batch;
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
