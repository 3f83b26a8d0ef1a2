//! Compares the Parquet of an object with its candles.

use candlewick_columnar::batch::{BatchError, batch};
use candlewick_columnar::names::Names;
use candlewick_columnar::read;
use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::core::candle::Candle;
use candlewick_shared::core::key::{Series, TransformedKey};
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::ports::store::ObjectStore;

use super::compare::{Difference, DifferenceKind};

/// The difference between the candles of a transformed object and the Parquet that was written with it, if any was.
pub async fn difference(
    store: &S3Store,
    key: &TransformedKey,
    origin: Option<&TransformedMetadata>,
    candles: &[Candle],
) -> anyhow::Result<Option<Difference>> {
    let Some(written) = origin.and_then(|origin| origin.columnar_etag.as_ref()) else { return Ok(None) };
    let columnar_key = key.path.columnar_key();
    let reason = match store.get(&columnar_key).await? {
        None => Some("it does not exist".to_owned()),
        Some(object) => different(&key.path.series, candles, object.body)
            .or_else(|| (object.info.etag != *written).then(|| "it was written again by another program".to_owned())),
    };
    let Series { symbol, interval } = &key.path.series;
    Ok(reason.map(|reason| Difference {
        symbol: symbol.to_string(),
        interval: interval.to_string(),
        time: None,
        kind: DifferenceKind::Columns,
        column: None,
        expected: None,
        found: Some(reason),
        object: columnar_key,
    }))
}

/// Why a Parquet file does not have these candles, or `None` if it has them.
fn different(series: &Series, candles: &[Candle], body: bytes::Bytes) -> Option<String> {
    let expected = match batch(&Names::of(std::slice::from_ref(series)), series, candles) {
        Ok(expected) => expected,
        // The transform writes no rows then, and raises an alert.
        Err(BatchError::DoesNotFit(_)) => return different(series, &[], body),
        Err(error) => return Some(error.to_string()),
    };
    let file = match read::read(body) {
        Ok(file) => file,
        Err(error) => return Some(error.to_string()),
    };
    let mut at = 0;
    for batch in &file.batches {
        let rows = batch.num_rows();
        if at + rows > candles.len() || expected.slice(at, rows) != *batch {
            return Some(format!("its rows from {} on are not the candles of the transformed object", at + 1));
        }
        at += rows;
    }
    (at != candles.len()).then(|| format!("it has {at} of {} candles", candles.len()))
}

#[cfg(test)]
mod tests {
    use candlewick_columnar::encode::parquet;
    use candlewick_shared::core::clean_csv;

    use super::*;

    const ROWS: &str =
        "AAPL,1day,2024-12-27,1.5,2,1,1.5,10,true,false\nAAPL,1day,2024-12-30,1.5,2,1,1.5,0,false,false\n";

    fn series() -> Series {
        Series { symbol: "AAPL".parse().unwrap(), interval: "1day".parse().unwrap() }
    }

    fn candles(rows: &str) -> Vec<Candle> {
        clean_csv::read_rows(rows.as_bytes(), &series()).unwrap().candles
    }

    fn found(rows: &str) -> Option<String> {
        different(&series(), &candles(ROWS), parquet(&series(), &candles(rows), &[]).unwrap().into())
    }

    #[test]
    fn a_file_with_the_candles_has_no_difference() {
        assert_eq!(found(ROWS), None);
    }

    #[test]
    fn candles_that_do_not_fit_have_a_file_without_rows() {
        let too_long = candles(&ROWS.replace("1.5,2,", "0.000008199999683711212,2,"));
        let file = |rows: &str| parquet(&series(), &candles(rows), &[]).unwrap().into();
        assert_eq!(different(&series(), &too_long, file("")), None);
        assert!(different(&series(), &too_long, file(ROWS)).is_some());
    }

    #[test]
    fn every_other_file_is_said_to_be_different() {
        let (first, _) = ROWS.split_at(ROWS.find('\n').unwrap() + 1);
        assert_eq!(found(first).unwrap(), "it has 1 of 2 candles");
        assert!(found(&format!("{ROWS}AAPL,1day,2024-12-31,1,1,1,1,1,true,false\n")).unwrap().contains("from 1 on"));
        for (from, to) in [("0,false,false", "0,true,false"), ("1.5,10", "1.50000001,10"), ("12-27", "12-26")] {
            assert!(found(&ROWS.replace(from, to)).unwrap().contains("are not the candles"), "{from}");
        }
        let text = different(&series(), &candles(ROWS), bytes::Bytes::from_static(b"no Parquet")).unwrap();
        assert!(text.contains("not readable as Parquet"), "{text}");
    }
}
