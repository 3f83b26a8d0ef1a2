//! How old a raw object is, and what *now* is for its cleaning.

use std::sync::Arc;

use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::report::{AsOfFrom, Report};
use candlewick_shared::runtime::outcome::{Outcome, Settled};
use candlewick_test_support::bucket::{self, Bucket};
use candlewick_transform::handler::Transform;

use super::support::{FETCHED, GZIPPED, RAW, REPORT, closes, deliver, gzip, now, origin, raw};

#[tokio::test]
async fn what_is_put_back_is_as_old_as_when_it_was_first_written() {
    let bucket = Bucket::default();
    bucket.drop_object(GZIPPED, gzip(&raw("11")), &[FETCHED]).await;
    deliver(&bucket, GZIPPED).await.unwrap();
    bucket.drop_object(RAW, raw("10"), &[FETCHED, ("first-written", "1969-12-31T00:00:00Z")]).await;
    match deliver_restored(&bucket, RAW).await {
        Ok(Settled::Superseded(why)) => assert!(why.contains(GZIPPED), "{why}"),
        other => panic!("not superseded: {other:?}"),
    }
    assert_eq!(closes(&bucket).await, ["11"]);
}

/// As where `up` puts objects back.
async fn deliver_restored(bucket: &Bucket, key: &str) -> Outcome {
    let transform = Transform::new(Arc::new(bucket.clone()), Arc::new(now)).trusting_first_written(true);
    transform.handle(bucket::created(key)).await
}

#[tokio::test]
async fn without_a_fetch_the_first_writing_is_the_now_of_the_cleaning() {
    let bucket = Bucket::default();
    let first = "1969-12-28T00:00:00Z";
    let of_then = "datetime,open,high,low,close,volume\n1969-12-26,9,99,1,10,5\n";
    bucket.drop_object(RAW, of_then, &[("first-written", first)]).await;
    deliver_restored(&bucket, RAW).await.unwrap();
    let origin = origin(&bucket).await;
    let report = origin.report.unwrap();
    assert_eq!((report.source.as_of.as_str(), report.rows.kept), (first, 1));
    assert_eq!(origin.raw_written.to_string(), first);
}

/// The bucket's clock is that of 1970; Candlewick's went from there to 2024.
#[tokio::test]
async fn under_a_simulated_clock_a_file_was_written_by_the_time_of_that_clock() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[("source", "drop")]).await;
    let clock: Clock = "2024-12-30T22:00:00Z@0*60".parse().unwrap();
    let transform = Transform::new(Arc::new(bucket.clone()), Arc::new(now)).with_clock(clock);
    assert_eq!(transform.handle(bucket::created(RAW)).await.unwrap(), Settled::Done);
    let report: Report = serde_json::from_str(&bucket.text(REPORT).await).unwrap();
    let written = bucket.object(RAW).await.info.last_modified;
    assert_eq!(report.source.as_of, clock.at(written).to_string());
    assert_eq!((report.source.as_of_from, report.rows.kept), (AsOfFrom::WrittenSimulated, 1));
    let origin = origin(&bucket).await;
    assert_eq!((origin.raw_written, origin.source.as_deref()), (written, Some("drop")));
}

#[tokio::test]
async fn what_strangers_say_of_an_age_is_not_believed_and_nobody_is_older_than_its_writing() {
    let pinned = ("first-written", "9999-01-01T00:00:00Z");
    for is_restored in [false, true] {
        let bucket = Bucket::default();
        bucket.drop_object(GZIPPED, gzip(&raw("6")), &[FETCHED, pinned]).await;
        let written = bucket.object(GZIPPED).await.info.last_modified;
        let outcome =
            if is_restored { deliver_restored(&bucket, GZIPPED).await } else { deliver(&bucket, GZIPPED).await };
        outcome.unwrap();
        assert_eq!(origin(&bucket).await.raw_written, written);
        bucket.drop_object(RAW, raw("11"), &[FETCHED]).await;
        deliver(&bucket, RAW).await.unwrap();
        assert_eq!(closes(&bucket).await, ["11"], "what comes later wins");
    }
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("6"), &[FETCHED, ("first-written", "1969-01-01T00:00:00Z")]).await;
    deliver(&bucket, RAW).await.unwrap();
    assert_eq!(origin(&bucket).await.raw_written, bucket.object(RAW).await.info.last_modified);
}
