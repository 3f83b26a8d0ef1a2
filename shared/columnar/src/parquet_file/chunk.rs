//! Writes the pages of a column of a row group.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

/// How many rows a page has, a multiple of eight.
pub const PAGE_ROWS: usize = 20_480;

/// The pages of a column of a row group, and what the footer says about them.
pub struct Chunk {
    pub bytes: Bytes,
    pub close: ColumnCloseResult,
}

/// The least and the greatest value of some rows, as bytes; `None` if they have no value.
pub type Bounds = Option<(Vec<u8>, Vec<u8>)>;

/// A page with rows.
pub struct DataPage<'a> {
    pub content: &'a [u8],
    pub encoding: Encoding,
    pub rows: usize,
    pub nulls: usize,
    pub bounds: Bounds,
}

pub struct ChunkWriter<'a> {
    column: ColumnDescPtr,
    zstd: &'a mut Compressor<'static>,
    sink: TrackedWrite<Vec<u8>>,
    uncompressed: usize,
    compressed: usize,
    rows: usize,
    dictionary_at: Option<i64>,
    data_at: Option<i64>,
    encodings: Vec<PageEncodingStats>,
    column_index: ColumnIndexBuilder,
    offset_index: OffsetIndexBuilder,
}

impl<'a> ChunkWriter<'a> {
    pub fn new(column: &ColumnDescPtr, zstd: &'a mut Compressor<'static>) -> Self {
        Self {
            column: ColumnDescPtr::clone(column),
            zstd,
            sink: TrackedWrite::new(Vec::new()),
            uncompressed: 0,
            compressed: 0,
            rows: 0,
            dictionary_at: None,
            data_at: None,
            encodings: Vec::new(),
            column_index: ColumnIndexBuilder::new(column.physical_type()),
            offset_index: OffsetIndexBuilder::new(),
        }
    }

    /// Writes the dictionary, which comes before the rows.
    pub fn dictionary(&mut self, entries: &[u8], count: usize) -> Result<()> {
        let buf = self.compress(entries)?;
        let page = Page::DictionaryPage { buf, num_values: count as u32, encoding: Encoding::PLAIN, is_sorted: false };
        let spec = self.write(CompressedPage::new(page, entries.len()), Encoding::PLAIN)?;
        self.dictionary_at = Some(spec.offset as i64);
        Ok(())
    }

    pub fn data(&mut self, page: DataPage<'_>) -> Result<()> {
        let DataPage { content, encoding, rows, nulls, bounds } = page;
        let page = Page::DataPage {
            buf: self.compress(content)?,
            num_values: rows as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let spec = self.write(CompressedPage::new(page, content.len()), encoding)?;
        self.data_at.get_or_insert(spec.offset as i64);
        self.rows += rows;
        self.offset_index.append_row_count(rows as i64);
        self.offset_index.append_offset_and_size(spec.offset as i64, spec.compressed_size as i32);
        let is_null = bounds.is_none();
        let (least, greatest) = bounds.unwrap_or_default();
        self.column_index.append(is_null, least, greatest, nulls as i64, None);
        Ok(())
    }

    fn compress(&mut self, content: &[u8]) -> Result<Bytes> {
        let compressed = self.zstd.compress(content).map_err(|error| ParquetError::External(Box::new(error)))?;
        Ok(Bytes::from(compressed))
    }

    fn write(&mut self, page: CompressedPage, encoding: Encoding) -> Result<PageWriteSpec> {
        self.count(page.page_type(), encoding);
        let spec = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.uncompressed += spec.uncompressed_size;
        self.compressed += spec.compressed_size;
        Ok(spec)
    }

    fn count(&mut self, page_type: PageType, encoding: Encoding) {
        match self.encodings.last_mut() {
            Some(last) if last.page_type == page_type => last.count += 1,
            _ => self.encodings.push(PageEncodingStats { page_type, encoding, count: 1 }),
        }
    }

    pub fn close(self, statistics: Statistics) -> Result<Chunk> {
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_encodings(encodings(&self.encodings))
            .set_page_encoding_stats(self.encodings)
            .set_total_compressed_size(self.compressed as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(self.data_at.unwrap_or_default())
            .set_dictionary_page_offset(self.dictionary_at)
            .set_statistics(statistics)
            .build()?;
        let bytes = Bytes::from(self.sink.into_inner()?);
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: Some(self.column_index.build()?),
            offset_index: Some(self.offset_index.build()),
        };
        Ok(Chunk { bytes, close })
    }
}

/// The encodings of the pages, and that of the levels, which say what is null.
fn encodings(pages: &[PageEncodingStats]) -> Vec<Encoding> {
    let mut encodings: Vec<_> = pages.iter().map(|page| page.encoding).chain([Encoding::RLE]).collect();
    encodings.sort_unstable();
    encodings.dedup();
    encodings
}
