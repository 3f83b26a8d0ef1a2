//! Reads Parquet files of candles.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use thiserror::Error;

use crate::schema::schema;

/// Why a file is not a Parquet file of candles.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It cannot be read as Parquet.
    #[error("not readable as Parquet: {0}")]
    Parquet(#[from] ParquetError),
    /// A batch cannot be read.
    #[error("not readable as Parquet: {0}")]
    Arrow(#[from] ArrowError),
    /// It has other columns.
    #[error("its columns are not those of this version of Candlewick")]
    Schema,
}

/// A Parquet file of candles.
pub struct File {
    /// What its footer says about it.
    pub about: Vec<(String, String)>,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
}

/// Reads a file.
///
/// # Errors
///
/// Returns a [`ReadError`] if it is not Parquet or has other columns than [`schema`].
pub fn read(bytes: Bytes) -> Result<File, ReadError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    if builder.schema().fields() != schema().fields() {
        return Err(ReadError::Schema);
    }
    let entries = builder.metadata().file_metadata().key_value_metadata().into_iter().flatten();
    let about = entries.filter_map(own).collect();
    let batches = builder.build()?.collect::<Result<_, _>>()?;
    Ok(File { about, batches })
}

/// An entry of the footer that Candlewick wrote, without the beginning of its name.
fn own(entry: &KeyValue) -> Option<(String, String)> {
    Some((entry.key.strip_prefix("candlewick.")?.to_owned(), entry.value.clone()?))
}
