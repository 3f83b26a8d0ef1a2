//! What the raw object's metadata decides.

use candlewick_shared::runtime::outcome::Settled;
use candlewick_test_support::bucket::Bucket;

use super::support::{FETCHED, RAW, TRACE, TRANSFORMED, deliver, failure, now, origin, raw};

#[tokio::test]
async fn broken_metadata_is_a_permanent_failure_that_names_it() {
    for (name, value) in [("fetched-at", "yesterday"), ("traceparent", "00-0-0-0")] {
        let bucket = Bucket::default();
        bucket.drop_object(RAW, raw("10"), &[(name, value)]).await;
        let failure = failure(&bucket, RAW).await;
        assert_eq!(failure.class, "bad_metadata");
        assert!(failure.message.contains(name) && failure.message.contains(value), "{}", failure.message);
        assert_eq!(bucket.written(), [""; 0]);
    }
}

#[tokio::test]
async fn a_time_zone_that_is_none_costs_no_daily_candle() {
    const HOURLY: &str = "raw/interval=1h/symbol=AAPL/2024-12.csv";
    let bucket = Bucket::default();
    let nowhere = [FETCHED, ("timezone", "Mars/Olympus")];
    bucket.drop_object(RAW, raw("10"), &nowhere).await;
    deliver(&bucket, RAW).await.unwrap();
    assert!(bucket.text(TRANSFORMED).await.contains("2024-12-27"));
    // Hours need one: there it says which time is meant.
    bucket.drop_object(HOURLY, raw("10"), &nowhere).await;
    let failure = failure(&bucket, HOURLY).await;
    assert!(failure.class == "bad_metadata" && failure.message.contains("Mars/Olympus"), "{}", failure.message);
}

#[tokio::test]
async fn the_metadata_of_the_raw_object_reaches_the_transformed_one() {
    let bucket = Bucket::default();
    let said = [
        FETCHED,
        ("traceparent", TRACE),
        ("run", "run-1"),
        ("instrument-type", "Common Stock"),
        ("currency", "USD"),
        ("calendar", "XNGS"),
        ("timezone", "America/New_York"),
    ];
    bucket.drop_object(RAW, raw("10"), &said).await;
    deliver(&bucket, RAW).await.unwrap();
    let metadata = bucket.object(TRANSFORMED).await.info.metadata;
    for (name, value) in said {
        assert_eq!(metadata.get(name).map(String::as_str), Some(value), "{name}");
    }
    let origin = origin(&bucket).await;
    let raw_info = bucket.object(RAW).await.info;
    assert_eq!((origin.raw_key, origin.raw_etag), (raw_info.key, raw_info.etag));
    assert_eq!((origin.raw_written, origin.transformed_at), (raw_info.last_modified, Some(now())));
}

#[tokio::test]
async fn a_format_that_no_watchlist_has_is_no_format() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("7"), &[FETCHED, ("format", "mine")]).await;
    let failure = failure(&bucket, RAW).await;
    assert_eq!(failure.class, "unknown_format");
    assert!(failure.message.contains("there is no [formats.mine] in the watchlist"), "{}", failure.message);
    bucket.drop_object(RAW, raw("7"), &[FETCHED, ("format", "raw"), ("stamped", "end")]).await;
    assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
}
