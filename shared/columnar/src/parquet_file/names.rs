//! Encodes columns of names. A row group has few names, and each in long runs.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray};
use arrow_schema::ArrowError;
use parquet::basic::Encoding;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::statistics::{Statistics, ValueStatistics};

use super::chunk::{Chunk, ChunkWriter, DataPage, PAGE_ROWS};
use super::packed;

/// The names of a row group in the order in which they first occur, and each row's position among them.
#[derive(Default)]
struct Rows<'a> {
    names: Vec<&'a str>,
    positions: Vec<u32>,
}

pub fn encode(mut writer: ChunkWriter<'_>, arrays: &[&ArrayRef]) -> Result<Chunk> {
    let mut rows = Rows::default();
    for array in arrays {
        rows.add(array.as_dictionary::<Int32Type>())?;
    }
    let mut content = Vec::new();
    rows.names.iter().for_each(|name| append_name(&mut content, name));
    writer.dictionary(&content, rows.names.len())?;
    let width = packed::width(rows.names.len());
    for positions in rows.positions.chunks(PAGE_ROWS) {
        content.clear();
        content.push(width as u8);
        packed::append(&mut content, positions, width);
        writer.data(rows.page(&content, positions))?;
    }
    writer.close(rows.statistics())
}

impl<'a> Rows<'a> {
    fn add(&mut self, array: &'a DictionaryArray<Int32Type>) -> Result<()> {
        let values = array.values().as_string_opt::<i32>().ok_or_else(not_names)?;
        let places: Vec<_> = values.iter().map(|name| name.map(|name| self.place(name))).collect();
        for key in array.keys().values() {
            let place = usize::try_from(*key).ok().and_then(|key| places.get(key).copied().flatten());
            self.positions.push(place.ok_or_else(not_names)?);
        }
        Ok(())
    }

    fn place(&mut self, name: &'a str) -> u32 {
        let found = self.names.iter().position(|known| *known == name);
        found.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        }) as u32
    }

    fn page<'b>(&self, content: &'b [u8], positions: &[u32]) -> DataPage<'b> {
        let bounds = self.bounds(positions).map(|(least, greatest)| (least.into(), greatest.into()));
        DataPage { content, encoding: Encoding::RLE_DICTIONARY, rows: positions.len(), nulls: 0, bounds }
    }

    fn bounds(&self, positions: &[u32]) -> Option<(&'a str, &'a str)> {
        let names = || positions.chunk_by(PartialEq::eq).map(|run| self.names[run[0] as usize]);
        names().min().zip(names().max())
    }

    fn statistics(&self) -> Statistics {
        let (least, greatest) =
            self.bounds(&self.positions).map_or((None, None), |(least, greatest)| (Some(least), Some(greatest)));
        ValueStatistics::new(least.map(ByteArray::from), greatest.map(ByteArray::from), None, Some(0), false).into()
    }
}

fn append_name(content: &mut Vec<u8>, name: &str) {
    content.extend((name.len() as u32).to_le_bytes());
    content.extend(name.as_bytes());
}

fn not_names() -> ParquetError {
    ArrowError::SchemaError("a column of names is not a dictionary of texts without nulls".to_owned()).into()
}
