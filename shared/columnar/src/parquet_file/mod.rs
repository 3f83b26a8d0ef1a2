//! Writes Parquet files of candles.
//!
//! The file, its footer and the columns of times and flags are written by the `parquet` crate. Names, prices and volumes have
//! encoders of their own here: they know that names come in runs, and that prices repeat. Columns in floats are the indicators of
//! the API, and may have nulls.

mod chunk;
mod distinct;
mod names;
mod numbers;
mod packed;
#[cfg(test)]
mod tests;

use std::mem;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::column::writer::{ColumnWriter, get_column_writer};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr};
use zstd::bulk::Compressor;

use crate::layout;
use chunk::{Chunk, ChunkWriter};

/// A file that is written row group by row group. It holds the rows of one row group.
pub struct ParquetFile {
    file: SerializedFileWriter<Vec<u8>>,
    form: RowGroups,
    waiting: Vec<RecordBatch>,
    rows: usize,
}

/// What the encoding of a row group needs to know. It can be shared by threads.
#[derive(Clone)]
pub struct RowGroups {
    schema: SchemaDescPtr,
    properties: WriterPropertiesPtr,
}

/// An encoded row group.
pub struct RowGroup(Vec<Chunk>);

impl ParquetFile {
    pub fn new(schema: &SchemaRef, about: &[(String, String)]) -> Result<Self> {
        let mut properties = layout::properties(about);
        add_encoded_arrow_schema_to_metadata(schema, &mut properties);
        let descriptor = ArrowSchemaConverter::new().convert(schema)?;
        let form = RowGroups { schema: Arc::new(descriptor), properties: Arc::new(properties) };
        let root = form.schema.root_schema_ptr();
        let file = SerializedFileWriter::new(Vec::new(), root, Arc::clone(&form.properties))?;
        Ok(Self { file, form, waiting: Vec::new(), rows: 0 })
    }

    pub fn row_groups(&self) -> RowGroups {
        self.form.clone()
    }

    /// Adds rows, and returns the bytes that are final.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let mut rest = batch.clone();
        while self.rows + rest.num_rows() >= layout::ROWS {
            let missing = layout::ROWS - self.rows;
            self.wait(rest.slice(0, missing));
            rest = rest.slice(missing, rest.num_rows() - missing);
            self.end_row_group()?;
        }
        self.wait(rest);
        Ok(mem::take(self.file.inner_mut()))
    }

    fn wait(&mut self, batch: RecordBatch) {
        self.rows += batch.num_rows();
        self.waiting.push(batch);
    }

    fn end_row_group(&mut self) -> Result<()> {
        self.rows = 0;
        let waiting = mem::take(&mut self.waiting);
        let group = self.form.encode(&waiting)?;
        self.append(group)
    }

    /// Adds a row group that was encoded elsewhere, after all rows so far.
    pub fn append(&mut self, group: RowGroup) -> Result<()> {
        let mut writer = self.file.next_row_group()?;
        for chunk in group.0 {
            writer.append_column(&chunk.bytes, chunk.close)?;
        }
        writer.close().map(drop)
    }

    /// Returns the last bytes.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if self.rows > 0 {
            self.end_row_group()?;
        }
        self.file.into_inner()
    }
}

impl RowGroups {
    /// Encodes rows as one row group.
    pub fn encode(&self, batches: &[RecordBatch]) -> Result<RowGroup> {
        let mut zstd = Compressor::new(layout::LEVEL).map_err(|error| ParquetError::External(Box::new(error)))?;
        let columns = self.schema.columns().iter().enumerate();
        let chunks = columns.map(|(at, column)| {
            let arrays: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(at)).collect();
            self.encode_column(column, &arrays, &mut zstd)
        });
        Ok(RowGroup(chunks.collect::<Result<_>>()?))
    }

    fn encode_column(
        &self,
        column: &ColumnDescPtr,
        arrays: &[&ArrayRef],
        zstd: &mut Compressor<'static>,
    ) -> Result<Chunk> {
        match arrays.first().map(|array| array.data_type()) {
            Some(DataType::Decimal128(..)) => {
                let arrays: Vec<_> = arrays.iter().map(|array| array.as_primitive::<Decimal128Type>()).collect();
                numbers::encode(ChunkWriter::new(column, zstd), &arrays, column.max_def_level() > 0)
            }
            Some(DataType::Dictionary(..)) => names::encode(ChunkWriter::new(column, zstd), arrays),
            _ => self.encode_simple(column, arrays),
        }
    }

    /// Encodes times, flags and indicators.
    fn encode_simple(&self, column: &ColumnDescPtr, arrays: &[&ArrayRef]) -> Result<Chunk> {
        let mut sink = TrackedWrite::new(Vec::new());
        let pages = Box::new(SerializedPageWriter::new(&mut sink));
        let mut writer = get_column_writer(ColumnDescPtr::clone(column), Arc::clone(&self.properties), pages);
        write(&mut writer, arrays)?;
        let close = writer.close()?;
        Ok(Chunk { bytes: Bytes::from(sink.into_inner()?), close })
    }
}

/// Writes all rows at once, so that pages do not depend on how the rows came.
fn write(writer: &mut ColumnWriter<'_>, arrays: &[&ArrayRef]) -> Result<()> {
    match writer {
        ColumnWriter::BoolColumnWriter(writer) => {
            let flags: Vec<bool> = arrays.iter().flat_map(|array| array.as_boolean().values()).collect();
            writer.write_batch(&flags, None, None)
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let times = |array: &&ArrayRef| array.as_primitive::<TimestampMicrosecondType>().values().to_vec();
            writer.write_batch(&arrays.iter().flat_map(times).collect::<Vec<_>>(), None, None)
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            let numbers = || arrays.iter().flat_map(|array| array.as_primitive::<Float64Type>().iter());
            let levels: Vec<i16> = numbers().map(|number| i16::from(number.is_some())).collect();
            writer.write_batch(&numbers().flatten().collect::<Vec<_>>(), Some(&levels), None)
        }
        _ => return Err(ParquetError::NYI("a column of another kind".to_owned())),
    }?;
    Ok(())
}
