use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Float64Array, RecordBatch};
use arrow_schema::{Field, Schema};
use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::key::Series;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::data_type::AsBytes;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::*;
use crate::batch::batch;
use crate::names::Names;
use crate::schema::schema;

fn series(symbol: &str) -> Series {
    Series { symbol: symbol.parse().unwrap(), interval: "1min".parse().unwrap() }
}

/// A candle for each number, with its close, and its volume if it has one.
fn candles(count: i64, close: impl Fn(i64) -> i64, volume: impl Fn(i64) -> Option<i64>) -> Vec<Candle> {
    let decimal = |number: i64| number.to_string().parse().unwrap();
    let candle = |at: i64| Candle {
        time: CandleTime::from_seconds(at * 60),
        open: decimal(close(at)),
        high: decimal(close(at) + 1),
        low: decimal(close(at) - 1),
        close: decimal(close(at)),
        volume: volume(at).map(decimal),
        is_filled: at % 7 == 0,
    };
    (0..count).map(candle).collect()
}

fn written(batches: &[RecordBatch]) -> Bytes {
    let mut file = ParquetFile::new(&schema(), &[]).unwrap();
    let mut bytes = Vec::new();
    for batch in batches {
        bytes.extend(file.push(batch).unwrap());
    }
    bytes.extend(file.finish().unwrap());
    bytes.into()
}

/// Asserts that a file has the rows of these batches.
fn assert_rows(file: Bytes, batches: &[RecordBatch], what: &str) {
    let rows = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut batches = batches.iter();
    let mut at = 0;
    let mut expected = batches.next();
    for found in rows.map(Result::unwrap) {
        let mut from = 0;
        while from < found.num_rows() {
            let whole = expected.unwrap();
            let count = (whole.num_rows() - at).min(found.num_rows() - from);
            for (one, other) in whole.slice(at, count).columns().iter().zip(found.slice(from, count).columns()) {
                let one = text(one);
                let other = text(other);
                assert_eq!(one, other, "{what}: rows from {at}");
            }
            (at, from) = (at + count, from + count);
            if at == whole.num_rows() {
                (expected, at) = (batches.next(), 0);
            }
        }
    }
    assert!(expected.is_none_or(|batch| batch.num_rows() == 0), "{what}: rows are missing");
}

/// The values of a column. Dictionaries of two files may differ where their values do not.
fn text(array: &ArrayRef) -> Vec<Option<String>> {
    match array.data_type() {
        DataType::Dictionary(..) => {
            let array = array.as_dictionary::<arrow_array::types::Int32Type>();
            let names = array.values().as_string::<i32>();
            array.keys().iter().map(|key| key.map(|key| names.value(key as usize).to_owned())).collect()
        }
        DataType::Decimal128(..) => array
            .as_primitive::<Decimal128Type>()
            .iter()
            .map(|number| number.map(|number| number.to_string()))
            .collect(),
        DataType::Boolean => array.as_boolean().iter().map(|flag| flag.map(|flag| flag.to_string())).collect(),
        _ => {
            let times = array.as_primitive::<TimestampMicrosecondType>();
            times.iter().map(|time| time.map(|time| time.to_string())).collect()
        }
    }
}

/// Rows that repeat, that do not, without volume, with some volumes, and of more than one page.
fn samples() -> Vec<(&'static str, Vec<Candle>)> {
    vec![
        ("prices that repeat", candles(50_000, |at| 100 + at % 300, |at| Some(at % 5))),
        ("numbers that do not repeat", candles(45_001, |at| 1_000_000 + at * 7919, |at| Some(at * at))),
        ("one number", candles(20_481, |_| 5, |_| Some(0))),
        ("no volume", candles(20_480, |at| at, |_| None)),
        ("some volumes", candles(41_000, |at| -at, |at| (at % 3 > 0).then_some(at))),
        ("volumes in the second page alone", candles(41_000, |at| at / 9, |at| (at >= 20_480).then_some(at * 3))),
        ("one row", candles(1, |_| 1, |_| None)),
    ]
}

#[test]
fn a_file_has_the_rows_that_were_written() {
    let series = series("AAPL");
    let names = Names::of(std::slice::from_ref(&series));
    for (what, candles) in samples() {
        let whole = batch(&names, &series, &candles).unwrap();
        assert_rows(written(std::slice::from_ref(&whole)), std::slice::from_ref(&whole), what);
        let third = candles.len() / 3;
        let parts =
            [whole.slice(0, third), whole.slice(third, third), whole.slice(2 * third, candles.len() - 2 * third)];
        assert_rows(written(&parts), &parts, &format!("{what}, in parts"));
    }
}

#[test]
fn rows_of_several_series_share_row_groups() {
    let all = ["AAPL", "BTC/USD", "MSFT"].map(series);
    let names = Names::of(&all);
    let batches: Vec<_> =
        all.iter().map(|series| batch(&names, series, &candles(100_000, |at| at % 999, |_| None)).unwrap()).collect();
    let file = written(&batches);
    let groups: Vec<_> = metadata(&file).row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [131_072, 131_072, 37_856]);
    assert_rows(file, &batches, "three series");
}

#[test]
fn indicators_are_floats_and_may_be_null() {
    let column = Field::new("sma20", DataType::Float64, true);
    let schema: SchemaRef = Arc::new(Schema::new(vec![column]));
    let part = |numbers: Vec<Option<f64>>| {
        RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Float64Array::from(numbers))]).unwrap()
    };
    let parts = [part(vec![None, None, Some(1.5)]), part(vec![]), part(vec![Some(-0.1), None])];
    let mut file = ParquetFile::new(&schema, &[]).unwrap();
    let mut bytes: Vec<u8> = parts.iter().flat_map(|part| file.push(part).unwrap()).collect();
    bytes.extend(file.finish().unwrap());
    let rows = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap().build().unwrap();
    let found: Vec<_> = rows
        .flat_map(|batch| batch.unwrap().column(0).as_primitive::<Float64Type>().iter().collect::<Vec<_>>())
        .collect();
    assert_eq!(found, [None, None, Some(1.5), Some(-0.1), None]);
}

#[test]
fn parts_do_not_change_the_bytes() {
    let series = series("AAPL");
    let names = Names::of(std::slice::from_ref(&series));
    let whole = batch(&names, &series, &candles(150_000, |at| at % 999, Some)).unwrap();
    let parts = [whole.slice(0, 7), whole.slice(7, 140_000), whole.slice(140_007, 9_993)];
    assert_eq!(written(&parts), written(&[whole]));
}

#[test]
fn a_reader_finds_minimum_and_maximum_of_each_column() {
    let series = series("BTC/USD");
    let names = Names::of(std::slice::from_ref(&series));
    let candles = candles(30_000, |at| 5 - at % 10, |at| (at > 9).then_some(at));
    let file = written(&[batch(&names, &series, &candles).unwrap()]);
    let metadata = metadata(&file);
    let column = |at: usize| {
        let statistics = metadata.row_group(0).column(at).statistics().unwrap();
        let bytes = |bytes: Option<&[u8]>| bytes.unwrap().to_vec();
        (bytes(statistics.min_bytes_opt()), bytes(statistics.max_bytes_opt()), statistics.null_count_opt())
    };
    let unit = 10_i128.pow(20);
    let number = |number: i128| (number * unit).to_be_bytes().to_vec();
    assert_eq!(column(0), (b"BTC/USD".to_vec(), b"BTC/USD".to_vec(), Some(0)));
    assert_eq!(column(2), (0_i64.as_bytes().to_vec(), (29_999 * 60_000_000_i64).as_bytes().to_vec(), Some(0)));
    assert_eq!(column(6), (number(-4), number(5), Some(0)));
    assert_eq!(column(7), (number(10), number(29_999), Some(10)));
}

fn metadata(file: &Bytes) -> ParquetMetaData {
    SerializedFileReader::new(file.clone()).unwrap().metadata().clone()
}
