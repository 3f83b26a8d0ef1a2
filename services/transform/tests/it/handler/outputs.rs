//! Which objects are written, and in which order.

use candlewick_shared::core::report::Report;
use candlewick_shared::runtime::outcome::Settled;
use candlewick_test_support::bucket::Bucket;

use super::support::{COLUMNS, FETCHED, QUARANTINE, RAW, REPORT, TRANSFORMED, deliver, origin, raw};

#[tokio::test]
async fn report_and_quarantine_are_there_before_the_transformed_object() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
    assert_eq!(bucket.written(), [REPORT, QUARANTINE, COLUMNS, TRANSFORMED]);
    let report: Report = serde_json::from_str(&bucket.text(REPORT).await).unwrap();
    assert_eq!((report.rows.read, report.rows.kept, report.rows.quarantined_total()), (2, 1, 1));
    assert_eq!(report.source.etag, bucket.object(RAW).await.info.etag);
    assert!(bucket.text(QUARANTINE).await.contains("close,missing"));
}

/// A raw file whose rows are all candles.
fn flawless(close: &str) -> String {
    format!("datetime,open,high,low,close,volume\n2024-12-27,9,99,1,{close},5\n")
}

#[tokio::test]
async fn an_object_without_findings_writes_no_report() {
    let bucket = Bucket::default();
    for close in ["10", "11"] {
        let before = bucket.written().len();
        bucket.drop_object(RAW, flawless(close), &[FETCHED]).await;
        assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
        assert_eq!(bucket.written()[before..], [COLUMNS, TRANSFORMED]);
        let report = origin(&bucket).await.report.unwrap();
        assert_eq!((report.rows.read, report.rows.kept), (1, 1));
        assert_eq!(report.source.etag, bucket.object(RAW).await.info.etag);
    }
}

#[tokio::test]
async fn findings_of_an_older_version_are_replaced() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    bucket.drop_object(RAW, flawless("11"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    let report: Report = serde_json::from_str(&bucket.text(REPORT).await).unwrap();
    assert_eq!((report.rows.read, report.rows.quarantined_total()), (1, 0));
    assert_eq!(bucket.text(QUARANTINE).await.lines().count(), 1, "only the header");
    let origin = origin(&bucket).await;
    assert_eq!(origin.report_etag, Some(bucket.object(REPORT).await.info.etag));
    assert_eq!(origin.quarantine_etag, Some(bucket.object(QUARANTINE).await.info.etag));
}

/// A writer may die after its report. The next version has no findings, and therefore does not look for a report; the
/// second delivery does, because the dead writer's message is delivered again.
#[tokio::test]
async fn findings_that_a_dead_writer_left_are_replaced_by_the_next_delivery() {
    let bucket = Bucket::default();
    bucket.drop_object(REPORT, "{}".to_owned(), &[]).await;
    bucket.drop_object(QUARANTINE, "line,column,reason,row\n2,close,missing,x\n".to_owned(), &[]).await;
    bucket.drop_object(RAW, flawless("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    assert_eq!(bucket.text(REPORT).await, "{}");
    deliver(&bucket, RAW).await.unwrap();
    let report: Report = serde_json::from_str(&bucket.text(REPORT).await).unwrap();
    assert_eq!(report.rows.kept, 1);
    assert_eq!(bucket.text(QUARANTINE).await.lines().count(), 1, "only the header");
}

#[tokio::test]
async fn a_second_delivery_gives_the_same_bytes() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    let body = async |key| bucket.object(key).await.body;
    let bodies = async || (body(REPORT).await, body(QUARANTINE).await, body(COLUMNS).await, body(TRANSFORMED).await);
    let first = bodies().await;
    assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
    assert_eq!(bodies().await, first);
}
