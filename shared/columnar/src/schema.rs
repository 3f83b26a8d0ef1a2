//! The schema of candles in columns, which is the same for all series.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use candlewick_shared::core::clean_csv::COLUMNS;

/// The version of the schema.
pub const VERSION: u32 = 1;

/// The number of digits of prices and volumes, the most that a decimal of 128 bits has.
pub const PRECISION: u8 = 38;

/// The number of these digits after the decimal point.
///
/// It is chosen so that any price from 0.0001 fits even if a program wrote it with all digits of a binary float, and
/// leaves 18 digits before the point: volumes of tokens reach 16, and sums need room.
pub const SCALE: i8 = 20;

/// Returns the schema: the columns of clean CSV, but the volume is null if the source gave none.
#[must_use]
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let types = [name(), name(), time(), number(), number(), number(), number(), number(), flag(), flag()];
        let field = |(column, data_type)| Field::new(column, data_type, column == "volume");
        Arc::new(Schema::new(COLUMNS.into_iter().zip(types).map(field).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

fn name() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn number() -> DataType {
    DataType::Decimal128(PRECISION, SCALE)
}

fn flag() -> DataType {
    DataType::Boolean
}
