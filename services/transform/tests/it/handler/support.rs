//! One raw object of AAPL with its outputs, and the ways to deliver it.

use std::io::Write;
use std::sync::Arc;

use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};
use candlewick_test_support::bucket::{self, Bucket};
use candlewick_transform::handler::Transform;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;

pub const RAW: &str = "raw/interval=1day/symbol=AAPL/candles.csv";
pub const GZIPPED: &str = "raw/interval=1day/symbol=AAPL/candles.csv.gz";
pub const TRANSFORMED: &str = "transformed/interval=1day/symbol=AAPL/candles.csv";
pub const REPORT: &str = "reports/interval=1day/symbol=AAPL/candles.json";
pub const QUARANTINE: &str = "quarantine/interval=1day/symbol=AAPL/candles.csv";
pub const COLUMNS: &str = "columnar/interval=1day/symbol=AAPL/candles.parquet";

/// The bucket's own clock begins in 1970, where every candle would lie in the future.
pub const FETCHED: (&str, &str) = ("fetched-at", "2024-12-30T22:00:00Z");

pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A raw file of one candle that is known by its close, and of one row that is no candle.
pub fn raw(close: &str) -> String {
    format!("datetime,open,high,low,close,volume\n2024-12-27,9,99,1,{close},5\n2024-12-26,9,99,1,,5\n")
}

pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

pub fn now() -> Timestamp {
    "2024-12-31T00:00:00Z".parse().unwrap()
}

pub async fn handle(store: Arc<dyn ObjectStore>, key: &str) -> Outcome {
    Transform::new(store, Arc::new(now)).writing_columns(true).handle(bucket::created(key)).await
}

pub async fn deliver(bucket: &Bucket, key: &str) -> Outcome {
    handle(Arc::new(bucket.clone()), key).await
}

pub async fn failure(bucket: &Bucket, key: &str) -> Failure {
    match deliver(bucket, key).await {
        Err(Setback::Permanent(failure)) => failure,
        other => panic!("no permanent failure: {other:?}"),
    }
}

pub async fn superseded(bucket: &Bucket, key: &str) -> String {
    match deliver(bucket, key).await {
        Ok(Settled::Superseded(why)) => why,
        other => panic!("not superseded: {other:?}"),
    }
}

/// The closes of the transformed object.
pub async fn closes(bucket: &Bucket) -> Vec<String> {
    let text = bucket.text(TRANSFORMED).await;
    text.lines().skip(1).map(|line| line.split(',').nth(6).unwrap().to_owned()).collect()
}

pub async fn origin(bucket: &Bucket) -> TransformedMetadata {
    TransformedMetadata::read(&bucket.object(TRANSFORMED).await.info.metadata).unwrap().unwrap()
}
