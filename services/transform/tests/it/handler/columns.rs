//! The Parquet object.

use std::sync::Arc;

use candlewick_shared::core::key::Series;
use candlewick_test_support::bucket::{self, Bucket};
use candlewick_transform::handler::Transform;

use super::support::{COLUMNS, FETCHED, RAW, TRACE, TRANSFORMED, closes, deliver, now, origin, raw};

#[tokio::test]
async fn the_parquet_has_the_candles_and_the_instrument() {
    let bucket = Bucket::default();
    let instrument = [FETCHED, ("source", "twelvedata"), ("currency", "USD"), ("traceparent", TRACE)];
    bucket.drop_object(RAW, raw("10"), &instrument).await;
    deliver(&bucket, RAW).await.unwrap();
    let columns = bucket.object(COLUMNS).await;
    assert_eq!(origin(&bucket).await.columnar_etag.as_ref(), Some(&columns.info.etag));
    assert_eq!(columns.info.metadata["raw-key"], RAW);
    let about = [("symbol", "AAPL"), ("interval", "1day"), ("source", "twelvedata"), ("currency", "USD")];
    let about = about.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let series = Series { symbol: "AAPL".parse().unwrap(), interval: "1day".parse().unwrap() };
    let clean = bucket.object(TRANSFORMED).await.body;
    assert_eq!(columns.body, candlewick_columnar::lines::parquet(&series, &clean, &about).unwrap());
}

/// It was switched off and the object changed, so its Parquet is stale until it is switched on again.
#[tokio::test]
async fn parquet_that_was_off_is_written_again() {
    let bucket = Bucket::default();
    let off = Transform::new(Arc::new(bucket.clone()), Arc::new(now));
    for close in ["10", "11"] {
        bucket.drop_object(RAW, raw(close), &[FETCHED]).await;
        deliver(&bucket, RAW).await.unwrap();
        let stale = bucket.object(COLUMNS).await.info.etag;
        bucket.drop_object(RAW, raw("12"), &[FETCHED]).await;
        off.clone().handle(bucket::created(RAW)).await.unwrap();
        assert_eq!(
            (origin(&bucket).await.columnar_etag, bucket.object(COLUMNS).await.info.etag),
            (None, stale.clone())
        );
        deliver(&bucket, RAW).await.unwrap();
        assert_ne!(bucket.object(COLUMNS).await.info.etag, stale);
    }
}

/// No digit may be lost, and a Parquet with some of the candles would look like all of them.
#[tokio::test]
async fn a_value_that_parquet_cannot_hold_leaves_the_parquet_without_rows() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    bucket.drop_object(RAW, raw("2.000000000000000000001"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    assert_eq!(closes(&bucket).await, ["2.000000000000000000001"]);
    let columns = bucket.object(COLUMNS).await;
    assert_eq!(origin(&bucket).await.columnar_etag, Some(columns.info.etag));
    let file = candlewick_columnar::read::read(columns.body).unwrap();
    assert_eq!(file.batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 0);
}
