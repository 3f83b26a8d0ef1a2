//! Objects that are not cleaned, and the work that cleaning must not block.

use std::sync::Arc;

use candlewick_shared::runtime::memory::Memory;
use candlewick_shared::runtime::outcome::Setback;
use candlewick_test_support::bucket::{self, Bucket};
use candlewick_transform::handler::Transform;

use super::support::{FETCHED, GZIPPED, RAW, TRACE, TRANSFORMED, closes, deliver, failure, gzip, now, raw, superseded};

#[tokio::test]
async fn a_raw_object_that_is_gone_is_settled_only_if_its_transformed_object_is_there() {
    let bucket = Bucket::default();
    let failure = failure(&bucket, RAW).await;
    assert_eq!(failure.class, "object_missing");
    assert!(failure.message.contains(RAW), "{}", failure.message);
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    bucket.inner.remove(RAW);
    assert!(superseded(&bucket, RAW).await.contains("gone"));
    assert_eq!(closes(&bucket).await, ["10"]);
}

#[tokio::test]
async fn a_key_that_names_no_series_is_a_permanent_failure() {
    for key in
        ["raw/candles.csv", "raw/interval=5h/symbol=AAPL/candles.csv", "raw/interval=1day/symbol=BTC/USD/candles.csv"]
    {
        let failure = failure(&Bucket::default(), key).await;
        assert_eq!(failure.class, "bad_key");
        assert!(failure.message.contains(key), "{}", failure.message);
    }
}

#[tokio::test]
async fn an_unreadable_file_leaves_the_older_transformed_object_in_place() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    let before = bucket.text(TRANSFORMED).await;
    for broken in ["", "{\"code\": 429}", "a,b\n1,2\n"] {
        bucket.drop_object(RAW, broken, &[FETCHED, ("traceparent", TRACE)]).await;
        let failure = failure(&bucket, RAW).await;
        assert_eq!(failure.class, "unreadable_object");
        assert!(failure.message.contains(RAW), "{}", failure.message);
        assert_eq!(failure.trace_id.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
        assert_eq!(bucket.text(TRANSFORMED).await, before);
    }
}

#[tokio::test]
async fn a_file_without_candles_replaces_none() {
    let header = "datetime,open,high,low,close,volume\n";
    let today = format!("{header}2024-12-31,1,2,1,2,5\n");
    let bucket = Bucket::default();
    bucket.drop_object(RAW, today.as_str(), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    deliver(&bucket, RAW).await.unwrap();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    let before = bucket.text(TRANSFORMED).await;
    let other = "symbol,date,open,high,low,close\nMSFT,2024-12-27,1,2,1,2\n";
    let both = "name,date,open,high,low,close\nAAA,2024-12-27,1,2,1,2\nBBB,2024-12-27,1,2,1,2\n";
    for (key, text, class) in [
        (RAW, header, "nothing_usable"),
        (RAW, "date,open,high,low,close,volume\n2024-12-27,1,2,1,2,1,234\n", "nothing_usable"),
        (RAW, today.as_str(), "nothing_usable"),
        (RAW, other, "other_instrument"),
        (RAW, both, "several_instruments"),
    ] {
        bucket.drop_object(key, text, &[("fetched-at", "2024-12-31T01:00:00Z")]).await;
        assert_eq!(failure(&bucket, key).await.class, class, "{text}");
        assert_eq!(bucket.text(TRANSFORMED).await, before, "{text}");
    }
}

#[tokio::test]
async fn what_takes_more_memory_than_there_is_is_refused_before_it_is_cleaned() {
    let bucket = Bucket::default();
    let lines = "datetime,open,high,low,close,volume\n".to_owned() + &"1\n".repeat(1_000_000);
    let zeros = vec![0_u8; 64 << 20];
    let endless = "x".repeat(30 << 20);
    let cases = [
        (GZIPPED, gzip(&lines), "lines"),
        (GZIPPED, gzip(&String::from_utf8(zeros).unwrap()), "line 1 is longer"),
        (RAW, endless.clone().into_bytes(), "line 1 is longer"),
        (RAW, (endless + &lines.repeat(2)).into_bytes(), "bytes"),
    ];
    for (key, body, words) in cases {
        bucket.drop_object(key, body, &[FETCHED]).await;
        let memory = Memory::new("192MiB".parse().unwrap());
        let transform = Transform::new(Arc::new(bucket.clone()), Arc::new(now)).with_memory(memory);
        match transform.handle(bucket::created(key)).await {
            Err(Setback::Permanent(failure)) => {
                assert_eq!(failure.class, "object_too_large", "{}", failure.message);
                assert!(failure.message.contains(words) && failure.message.contains(key), "{}", failure.message);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(bucket.written(), [""; 0]);
    }
}

/// The services' own kind of runtime has one thread: cleaning on it would keep every timer from firing.
#[tokio::test(flavor = "current_thread")]
async fn cleaning_leaves_the_thread_that_keeps_the_leases() {
    let bucket = Bucket::default();
    let rows: String = (0..20_000).map(|_| "2024-12-27,9,99,1,10,5\n").collect();
    bucket.drop_object(RAW, format!("datetime,open,high,low,close,volume\n{rows}"), &[FETCHED]).await;
    let turns = std::cell::Cell::new(0);
    let stop = tokio_util::sync::CancellationToken::new();
    let others = async {
        while !stop.is_cancelled() {
            turns.set(turns.get() + 1);
            tokio::task::yield_now().await;
        }
    };
    let work = async {
        deliver(&bucket, RAW).await.unwrap();
        stop.cancel();
    };
    tokio::join!(work, others);
    // Between the calls to a bucket in memory there are a few turns; on a thread of its own, cleaning leaves very many.
    assert!(turns.get() > 100, "{} turns while 20,000 rows were cleaned", turns.get());
}
