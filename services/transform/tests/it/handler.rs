//! What the handler promises: order of writes, conditions, and who wins when several write at once.

use std::io::Write;
use std::sync::Arc;

use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::core::report::{AsOfFrom, Report};
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::runtime::memory::Memory;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};
use candlewick_testbed::bucket::{self, Bucket};
use candlewick_transform::handler::Transform;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;

const RAW: &str = "raw/interval=1day/symbol=AAPL/candles.csv";
const GZIPPED: &str = "raw/interval=1day/symbol=AAPL/candles.csv.gz";
const CLEAN: &str = "transformed/interval=1day/symbol=AAPL/candles.csv";
const REPORT: &str = "reports/interval=1day/symbol=AAPL/candles.json";
const QUARANTINE: &str = "quarantine/interval=1day/symbol=AAPL/candles.csv";
const COLUMNS: &str = "columnar/interval=1day/symbol=AAPL/candles.parquet";

/// The bucket's own clock begins in 1970, where every candle would lie in the future.
const FETCHED: (&str, &str) = ("fetched-at", "2024-12-30T22:00:00Z");

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A raw file of one candle that is known by its close, and of one row that is no candle.
fn raw(close: &str) -> String {
    format!("datetime,open,high,low,close,volume\n2024-12-27,9,99,1,{close},5\n2024-12-26,9,99,1,,5\n")
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn now() -> Timestamp {
    "2024-12-31T00:00:00Z".parse().unwrap()
}

async fn handle(store: Arc<dyn ObjectStore>, key: &str) -> Outcome {
    Transform::new(store, Arc::new(now)).writing_columns(true).handle(bucket::created(key)).await
}

async fn deliver(bucket: &Bucket, key: &str) -> Outcome {
    handle(Arc::new(bucket.clone()), key).await
}

async fn failure(bucket: &Bucket, key: &str) -> Failure {
    match deliver(bucket, key).await {
        Err(Setback::Permanent(failure)) => failure,
        other => panic!("no permanent failure: {other:?}"),
    }
}

async fn superseded(bucket: &Bucket, key: &str) -> String {
    match deliver(bucket, key).await {
        Ok(Settled::Superseded(why)) => why,
        other => panic!("not superseded: {other:?}"),
    }
}

/// The closes of the clean object.
async fn closes(bucket: &Bucket) -> Vec<String> {
    let text = bucket.text(CLEAN).await;
    text.lines().skip(1).map(|line| line.split(',').nth(6).unwrap().to_owned()).collect()
}

async fn origin(bucket: &Bucket) -> TransformedMetadata {
    TransformedMetadata::read(&bucket.object(CLEAN).await.info.metadata).unwrap().unwrap()
}

#[tokio::test]
async fn report_and_quarantine_are_there_before_the_clean_object() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
    assert_eq!(bucket.written(), [REPORT, QUARANTINE, COLUMNS, CLEAN]);
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
        assert_eq!(bucket.written()[before..], [COLUMNS, CLEAN]);
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
    let clean = bucket.object(CLEAN).await.body;
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

#[tokio::test]
async fn a_second_delivery_gives_the_same_bytes() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    let body = async |key| bucket.object(key).await.body;
    let bodies = async || (body(REPORT).await, body(QUARANTINE).await, body(COLUMNS).await, body(CLEAN).await);
    let first = bodies().await;
    assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
    assert_eq!(bodies().await, first);
}

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
        assert_eq!(bucket.written()[before..], [REPORT, QUARANTINE, COLUMNS, CLEAN]);
        let report: Report = serde_json::from_str(&bucket.text(REPORT).await).unwrap();
        assert_eq!(report.source.etag, bucket.object(RAW).await.info.etag);
    }
}

/// The same content again makes the same clean object, so that its condition lets an old reader's write through.
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
        let before = (bucket.text(REPORT).await, bucket.text(QUARANTINE).await, bucket.text(CLEAN).await);
        bucket.let_it_get_there().await;
        let after = (bucket.text(REPORT).await, bucket.text(QUARANTINE).await, bucket.text(CLEAN).await);
        assert_eq!(after, before, "write {held}, with an earlier version there: {first_there}");
    }
}

#[tokio::test]
async fn a_target_that_never_stands_still_waits_its_turn() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    for look in 0..5 {
        let inner = Arc::clone(&bucket.inner);
        bucket.intrude_after_a_read(async move { bucket::put(&inner, CLEAN, format!("look {look}"), &[]).await });
    }
    let outcome = deliver(&bucket, RAW).await;
    assert!(matches!(outcome, Err(Setback::Retry(_))), "{outcome:?}");
    assert_eq!(bucket.text(CLEAN).await, "look 4");
    assert_eq!(deliver(&bucket, RAW).await.unwrap(), Settled::Done);
}

#[tokio::test]
async fn a_raw_object_that_is_gone_is_settled_only_if_its_clean_object_is_there() {
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

/// The older object's worker wrote its report between the newer one's report and clean object, and died, or saw only then that
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
                        let (text, other) = (bucket.text(output).await, format!("{output}.older"));
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
    assert!(bucket.text(CLEAN).await.contains("2024-12-27"));
    // Hours need one: there it says which time is meant.
    bucket.drop_object(HOURLY, raw("10"), &nowhere).await;
    let failure = failure(&bucket, HOURLY).await;
    assert!(failure.class == "bad_metadata" && failure.message.contains("Mars/Olympus"), "{}", failure.message);
}

#[tokio::test]
async fn what_stands_beside_the_raw_object_reaches_the_clean_one() {
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
    let metadata = bucket.object(CLEAN).await.info.metadata;
    for (name, value) in said {
        assert_eq!(metadata.get(name).map(String::as_str), Some(value), "{name}");
    }
    let origin = origin(&bucket).await;
    let raw_info = bucket.object(RAW).await.info;
    assert_eq!((origin.raw_key, origin.raw_etag), (raw_info.key, raw_info.etag));
    assert_eq!((origin.raw_written, origin.transformed_at), (raw_info.last_modified, Some(now())));
}

#[tokio::test]
async fn an_unreadable_file_leaves_the_older_clean_object_in_place() {
    let bucket = Bucket::default();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    let before = bucket.text(CLEAN).await;
    for broken in ["", "{\"code\": 429}", "a,b\n1,2\n"] {
        bucket.drop_object(RAW, broken, &[FETCHED, ("traceparent", TRACE)]).await;
        let failure = failure(&bucket, RAW).await;
        assert_eq!(failure.class, "unreadable_object");
        assert!(failure.message.contains(RAW), "{}", failure.message);
        assert_eq!(failure.trace_id.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
        assert_eq!(bucket.text(CLEAN).await, before);
    }
}

#[tokio::test]
async fn what_has_no_candle_replaces_none() {
    let header = "datetime,open,high,low,close,volume\n";
    let today = format!("{header}2024-12-31,1,2,1,2,5\n");
    let bucket = Bucket::default();
    bucket.drop_object(RAW, today.as_str(), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    deliver(&bucket, RAW).await.unwrap();
    bucket.drop_object(RAW, raw("10"), &[FETCHED]).await;
    deliver(&bucket, RAW).await.unwrap();
    let before = bucket.text(CLEAN).await;
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
        assert_eq!(bucket.text(CLEAN).await, before, "{text}");
    }
}

/// The services' own kind of runtime has one thread: cleaning on it would keep every timer from firing.
#[tokio::test(flavor = "current_thread")]
async fn cleaning_leaves_the_thread_that_keeps_the_leases() {
    let bucket = Bucket::default();
    let rows: String = (0..20_000).map(|_| "2024-12-27,9,99,1,10,5\n").collect();
    bucket.drop_object(RAW, format!("datetime,open,high,low,close,volume\n{rows}"), &[FETCHED]).await;
    let (turns, stop) = (std::cell::Cell::new(0), tokio_util::sync::CancellationToken::new());
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
