//! Encodes record batches as Parquet or Arrow IPC, piece by piece.

use std::mem;

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};
use candlewick_shared::core::candle::Candle;
use candlewick_shared::core::key::Series;
use parquet::errors::ParquetError;
use thiserror::Error;

use crate::batch::{BatchError, batch};
use crate::names::Names;
use crate::parquet_file::ParquetFile;
use crate::schema::schema;

/// A form of record batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A Parquet file.
    Parquet,
    /// An Arrow IPC file, which programs map into memory.
    ArrowFile,
    /// An Arrow IPC stream, which programs read while it arrives.
    ArrowStream,
}

/// Why a batch could not be encoded.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The candles are not a batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The Parquet writer failed.
    #[error("write Parquet")]
    Parquet(#[from] ParquetError),
    /// The Arrow writer failed.
    #[error("write Arrow")]
    Arrow(#[from] ArrowError),
}

/// Encodes batches one after the other. It returns bytes as soon as they are final, and holds no more than one row group.
pub struct Encoder {
    writer: Writer,
}

enum Writer {
    Parquet(Box<ParquetFile>),
    File(FileWriter<Vec<u8>>),
    Stream(StreamWriter<Vec<u8>>),
}

impl Encoder {
    /// Creates an encoder. `about` is written into the footer of a Parquet file, each name after `candlewick.`.
    ///
    /// # Errors
    ///
    /// Returns an [`EncodeError`] if the schema cannot be written.
    pub fn new(form: Form, schema: &SchemaRef, about: &[(String, String)]) -> Result<Self, EncodeError> {
        let out = Vec::new();
        let writer = match form {
            Form::Parquet => Writer::Parquet(Box::new(ParquetFile::new(schema, about)?)),
            Form::ArrowFile => Writer::File(FileWriter::try_new(out, schema)?),
            Form::ArrowStream => Writer::Stream(StreamWriter::try_new(out, schema)?),
        };
        Ok(Self { writer })
    }

    /// Encodes a batch and returns the bytes that are final.
    ///
    /// # Errors
    ///
    /// Returns an [`EncodeError`] if the batch has another schema.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, EncodeError> {
        match &mut self.writer {
            Writer::Parquet(file) => Ok(file.push(batch)?),
            Writer::File(writer) => {
                writer.write(batch)?;
                Ok(mem::take(writer.get_mut()))
            }
            Writer::Stream(writer) => {
                writer.write(batch)?;
                Ok(mem::take(writer.get_mut()))
            }
        }
    }

    /// Returns the last bytes.
    ///
    /// # Errors
    ///
    /// Returns an [`EncodeError`] if the footer cannot be written.
    pub fn finish(self) -> Result<Vec<u8>, EncodeError> {
        Ok(match self.writer {
            Writer::Parquet(file) => file.finish()?,
            Writer::File(writer) => writer.into_inner()?,
            Writer::Stream(writer) => writer.into_inner()?,
        })
    }
}

/// Encodes the candles of one series as one Parquet file. The same candles always give the same bytes.
///
/// # Errors
///
/// Returns [`BatchError::DoesNotFit`] for a value with too many digits.
pub fn parquet(series: &Series, candles: &[Candle], about: &[(String, String)]) -> Result<Vec<u8>, EncodeError> {
    let names = Names::of(std::slice::from_ref(series));
    let mut encoder = Encoder::new(Form::Parquet, &schema(), about)?;
    let mut bytes = encoder.push(&batch(&names, series, candles)?)?;
    bytes.extend(encoder.finish()?);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use arrow_array::StringArray;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int32Type;
    use candlewick_shared::core::clean_csv;

    use super::*;
    use crate::read::read;

    const CLEAN: &str = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n\
        BTC/USD,1day,2024-12-27,257.83,258.7,253.06,255.59,42355300,true,false\n\
        BTC/USD,1day,2024-12-30,255.59,255.59,255.59,255.59,0,true,true\n\
        BTC/USD,1day,2024-12-31,0.0000000000000000001,255.6,-1,255.6,0,false,false\n";

    fn series() -> Series {
        Series { symbol: "BTC/USD".parse().unwrap(), interval: "1day".parse().unwrap() }
    }

    fn candles(text: &str) -> Vec<Candle> {
        clean_csv::read(text.as_bytes(), &series()).unwrap().candles
    }

    fn about() -> Vec<(String, String)> {
        vec![("symbol".to_owned(), "BTC/USD".to_owned())]
    }

    #[test]
    fn parquet_has_the_candles_and_what_is_said_about_them() {
        let names = Names::of(&[series()]);
        let expected = batch(&names, &series(), &candles(CLEAN)).unwrap();
        let file = read(parquet(&series(), &candles(CLEAN), &about()).unwrap().into()).unwrap();
        assert_eq!(file.batches, [expected]);
        let about: Vec<_> = file.about.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(about, [("schema", "1"), ("symbol", "BTC/USD")]);
    }

    #[test]
    fn the_same_candles_give_the_same_bytes() {
        let write = |text: &str| parquet(&series(), &candles(text), &about()).unwrap();
        assert_eq!(write(CLEAN), write(CLEAN));
        assert_ne!(write(CLEAN), write(&CLEAN.replace("42355300", "42355301")));
    }

    #[test]
    fn an_object_without_candles_is_a_file_without_rows() {
        let file = read(parquet(&series(), &[], &[]).unwrap().into()).unwrap();
        assert_eq!(file.batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_and_not_rounded() {
        let text = CLEAN.replace("258.7,", "258.000000000000000000001,");
        let error = parquet(&series(), &candles(&text), &[]).unwrap_err().to_string();
        assert_eq!(
            error,
            "high 258.000000000000000000001 of the candle of 2024-12-27: columns hold at most 18 digits before the \
             decimal point and 20 after it"
        );
    }

    #[test]
    fn every_form_gives_its_pieces_in_order() {
        let all = [series(), Series { symbol: "AAPL".parse().unwrap(), ..series() }];
        let names = Names::of(&all);
        for form in [Form::Parquet, Form::ArrowFile, Form::ArrowStream] {
            let mut encoder = Encoder::new(form, &schema(), &[]).unwrap();
            let mut bytes = Vec::new();
            for series in &all {
                bytes.extend(encoder.push(&batch(&names, series, &candles(CLEAN)).unwrap()).unwrap());
            }
            bytes.extend(encoder.finish().unwrap());
            assert_eq!(symbols(form, bytes), ["BTC/USD", "BTC/USD", "BTC/USD", "AAPL", "AAPL", "AAPL"], "{form:?}");
        }
    }

    /// The symbols of all rows, as a reader of that form finds them.
    fn symbols(form: Form, bytes: Vec<u8>) -> Vec<String> {
        let batches: Vec<RecordBatch> = match form {
            Form::Parquet => read(bytes.into()).unwrap().batches,
            Form::ArrowFile => {
                let file = std::io::Cursor::new(bytes);
                arrow_ipc::reader::FileReader::try_new(file, None).unwrap().map(Result::unwrap).collect()
            }
            Form::ArrowStream => {
                arrow_ipc::reader::StreamReader::try_new(&bytes[..], None).unwrap().map(Result::unwrap).collect()
            }
        };
        let column = |batch: &RecordBatch| {
            let column = batch.column(0).as_dictionary::<Int32Type>().downcast_dict::<StringArray>().unwrap();
            column.into_iter().map(|symbol| symbol.unwrap().to_owned()).collect::<Vec<_>>()
        };
        batches.iter().flat_map(column).collect()
    }
}
