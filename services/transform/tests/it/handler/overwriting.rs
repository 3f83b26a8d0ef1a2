//! Who wins when several write the same outputs at once, or late.

use std::sync::Arc;

use candlewick_shared::core::report::Report;
use candlewick_shared::runtime::outcome::{Setback, Settled};
use candlewick_test_support::bucket::{self, Bucket};

use super::support::{
    COLUMNS, FETCHED, GZIPPED, QUARANTINE, RAW, REPORT, TRANSFORMED, closes, deliver, gzip, handle, origin, raw,
    superseded,
};

#[tokio::test]
async fn an_old_reader_cannot_overwrite_a_newer_result() {
    for first_there in [false, true] {
        let bucket = Bucket::default();
        if first_there {
            bucket.drop_object(RAW, raw("9"), &[FETCHED]).await;
            deliver(&bucket, RAW).await.unwrap();
        }
        bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
        let inner = Arc::clone(&bucket.inner);
        bucket.intrude_after_a_read(async move {
            bucket::put(&inner, RAW, raw("11"), &[FETCHED]).await;
            handle(inner, RAW).await.unwrap();
        });
        let before = bucket.written().len();
        assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
        assert_eq!(closes(&bucket).await, ["11"]);
        // What the first look made was refused, and the second look wrote everything anew.
        assert_eq!(bucket.written()[before..], [REPORT, QUARANTINE, COLUMNS, TRANSFORMED]);
        let report: Report = serde_json::from_str(&bucket.text(REPORT).await).unwrap();
        assert_eq!(report.source.etag, bucket.object(RAW).await.info.etag);
    }
}

/// The same content again makes the same transformed object, so that its condition lets an old reader's write through.
#[tokio::test]
async fn the_same_content_written_again_is_newer_even_for_a_reader_of_the_older_one() {
    let bucket = Bucket::default();
    for _ in 0..2 {
        bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
        deliver(&bucket, RAW).await.unwrap();
    }
    let inner = Arc::clone(&bucket.inner);
    bucket.intrude_after_a_read(async move {
        bucket::put(&inner, RAW, raw("10"), &[FETCHED]).await;
        handle(inner, RAW).await.unwrap();
    });
    assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
    assert_eq!(origin(&bucket).await.raw_written, bucket.object(RAW).await.info.last_modified);
}

/// A write that is on its way when its writer dies may get there when all is done for a newer object, and nobody comes again.
#[tokio::test]
async fn a_write_that_comes_late_changes_nothing() {
    for (first_there, held) in [(false, 0), (false, 1), (false, 2), (true, 0), (true, 1), (true, 2)] {
        let bucket = Bucket::default();
        if first_there {
            bucket.drop_object(RAW, raw("9"), &[FETCHED]).await;
            deliver(&bucket, RAW).await.unwrap();
        }
        bucket.drop_object(RAW, format!("\n{}", raw("10")), &[FETCHED]).await;
        bucket.hold_a_write_after(held);
        deliver(&bucket, RAW).await.unwrap_err();
        bucket.drop_object(RAW, format!("\n\n{}", raw("11")), &[FETCHED]).await;
        assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
        let before = (bucket.text(REPORT).await, bucket.text(QUARANTINE).await, bucket.text(TRANSFORMED).await);
        bucket.let_it_get_there().await;
        let after = (bucket.text(REPORT).await, bucket.text(QUARANTINE).await, bucket.text(TRANSFORMED).await);
        assert_eq!(after, before, "write {held}, with an earlier version there: {first_there}");
    }
}

#[tokio::test]
async fn an_output_that_keeps_changing_is_tried_again_later() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    for look in 0..5 {
        let inner = Arc::clone(&bucket.inner);
        bucket.intrude_after_a_read(async move { bucket::put(&inner, TRANSFORMED, format!("look {look}"), &[]).await });
    }
    let outcome = deliver(&bucket, RAW).await;
    assert!(matches!(outcome, Err(Setback::Retry(_))), "{outcome:?}");
    assert_eq!(bucket.text(TRANSFORMED).await, "look 4");
    assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
}

#[tokio::test]
async fn of_a_gzipped_and_a_plain_object_the_newer_wins_in_either_order() {
    for (older, newer) in [(RAW, GZIPPED), (GZIPPED, RAW)] {
        for order in [[older, newer], [newer, older]] {
            let bucket = Bucket::default();
            for (key, close) in [(older, "10"), (newer, "11")] {
                let body = if key == GZIPPED { gzip(&raw(close)) } else { raw(close).into_bytes() };
                bucket.drop_object(key, body, &[FETCHED]).await;
            }
            for key in order {
                deliver(&bucket, key).await.unwrap();
            }
            assert_eq!(
                (closes(&bucket).await, origin(&bucket).await.raw_key),
                (vec!["11".to_owned()], newer.to_owned())
            );
        }
    }
}

/// The older object's worker wrote its report between the newer one's report and transformed object, and died, or saw only then that
/// it is the older one. The newer one's message is settled by that time.
#[tokio::test]
async fn an_object_that_gives_way_to_a_newer_one_leaves_none_of_its_outputs() {
    for (older, newer) in [(RAW, GZIPPED), (GZIPPED, RAW)] {
        for written in [vec![REPORT], vec![QUARANTINE], vec![REPORT, QUARANTINE]] {
            let bucket = Bucket::default();
            for (key, close) in [(older, "10"), (newer, "11")] {
                let text = format!("{}{close},bad\n", raw(close));
                let body = if key == GZIPPED { gzip(&text) } else { text.into_bytes() };
                bucket.drop_object(key, body, &[FETCHED]).await;
                deliver(&bucket, key).await.unwrap();
                if key == older {
                    for output in &written {
                        let text = bucket.text(output).await;
                        let other = format!("{output}.older");
                        bucket.drop_object(&other, text, &[]).await;
                    }
                }
            }
            for output in &written {
                let text = bucket.text(&format!("{output}.older")).await;
                bucket.drop_object(output, text, &[]).await;
            }
            assert_eq!(deliver(&bucket, older).await.unwrap(), Settled::Done, "{older}: {written:?}");
            let report: Report = serde_json::from_str(&bucket.text(REPORT).await).unwrap();
            assert_eq!(report.source.etag, bucket.object(newer).await.info.etag);
            assert!(bucket.text(QUARANTINE).await.contains("11,bad"));
            assert!(superseded(&bucket, older).await.contains(newer));
        }
    }
}
