//! The layout of Parquet files.

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::schema::VERSION;

/// How many rows a row group has. A reader skips whole row groups and reads several of them at once.
pub const ROWS: usize = 1 << 17;

/// The level of zstd. The next one takes twice the time and saves a hundredth.
pub const LEVEL: i32 = 1;

/// The order of the rows, as positions of columns: symbol, interval, time.
const ORDER: [i32; 3] = [0, 1, 2];

/// The properties of a file. Its footer says what it holds, in `about` and in the version of the schema.
pub fn properties(about: &[(String, String)]) -> WriterProperties {
    let time = ColumnPath::from("time");
    let version = ("candlewick.schema".to_owned(), VERSION.to_string());
    let entries = [version].into_iter().chain(about.iter().map(|(name, value)| (entry(name), value.clone())));
    let order = ORDER.map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false });
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROWS))
        // Times are all different and regularly spaced.
        .set_column_dictionary_enabled(time.clone(), false)
        .set_column_encoding(time, Encoding::DELTA_BINARY_PACKED)
        .set_sorting_columns(Some(order.to_vec()))
        .set_key_value_metadata(Some(entries.map(|(name, value)| KeyValue::new(name, value)).collect()))
        .build()
}

fn entry(name: &str) -> String {
    format!("candlewick.{name}")
}
