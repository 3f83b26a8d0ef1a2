//! What the loader stores besides the candles, and how it reports objects that it cannot load.

use candlewick_shared::core::metadata::{Instrument, Metadata, TransformedMetadata};
use candlewick_shared::core::report::{Report, Rows, Source};
use libtest_mimic::Trial;

use crate::support::{JANUARY, World, body, origin};

pub fn trials() -> Vec<Trial> {
    trials![
        an_object_that_is_not_clean_is_noted_and_the_older_rows_stay,
        the_loaded_version_put_back_clears_the_error,
        an_object_that_is_gone_is_settled_only_if_it_was_loaded,
        a_key_that_names_no_series_is_a_permanent_failure,
        broken_metadata_is_a_permanent_failure,
        a_report_becomes_a_row_of_quality,
        a_report_on_another_cleaning_is_not_kept_but_the_right_one_is_when_it_comes,
        what_is_said_of_an_instrument_is_kept,
        the_ledger_says_where_a_version_came_from
    ]
}

const ERROR: &str = "select coalesce(concat_ws(' | ', error_line, error_column, error), '') from objects";

async fn an_object_that_is_not_clean_is_noted_and_the_older_rows_stay(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    let good = String::from_utf8(body(JANUARY, &[(1, 11), (2, 21)])).unwrap();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
    let from = TransformedMetadata { traceparent: Some(trace), ..origin(2) };
    world.put(JANUARY, good.replace(",21,21,21,21,", ",21,21,21,x,"), from.write()).await;
    let failure = world.failure(JANUARY).await;
    assert_eq!((failure.class, failure.trace_id), ("unreadable_object", Some(trace.trace_id())));
    assert!(
        failure.message.contains(JANUARY) && failure.message.contains("line 3, column close"),
        "{}",
        failure.message
    );
    assert_eq!(world.value(ERROR).await, "3 | close | not a number");
    assert_eq!(world.candles().await, [(1, 10), (2, 20)]);
    world.load_rows(JANUARY, 3, &[(1, 12)]).await;
    assert_eq!((world.value(ERROR).await, world.candles().await), (String::new(), vec![(1, 12)]));
}

async fn the_loaded_version_put_back_clears_the_error(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10)]).await;
    world.put(JANUARY, "broken", Metadata::new()).await;
    world.failure(JANUARY).await;
    world.put_rows(JANUARY, 1, &[(1, 10)]).await;
    world.superseded(JANUARY).await;
    assert_eq!(world.value(ERROR).await, "");
}

async fn an_object_that_is_gone_is_settled_only_if_it_was_loaded(world: World) {
    let failure = world.failure(JANUARY).await;
    assert_eq!(failure.class, "object_missing");
    assert!(failure.message.contains(JANUARY), "{}", failure.message);
    assert_eq!(world.value("select count(*)::text from objects").await, "0");
    world.put(JANUARY, "broken", Metadata::new()).await;
    world.failure(JANUARY).await;
    world.bucket.inner.remove(JANUARY);
    assert_eq!(world.failure(JANUARY).await.class, "object_missing");
    world.load_rows(JANUARY, 1, &[(1, 10)]).await;
    world.bucket.inner.remove(JANUARY);
    assert!(world.superseded(JANUARY).await.contains("was removed"));
    assert_eq!(world.candles().await, [(1, 10)]);
}

async fn a_key_that_names_no_series_is_a_permanent_failure(world: World) {
    for key in ["transformed/candles.csv", "raw/interval=1min/symbol=AAPL/2024-01.csv"] {
        let failure = world.failure(key).await;
        assert!(failure.class == "bad_key" && failure.message.contains(key), "{failure:?}");
    }
}

async fn broken_metadata_is_a_permanent_failure(world: World) {
    let mut metadata = origin(1).write();
    metadata.insert("raw-written".to_owned(), "yesterday".to_owned());
    world.put(JANUARY, body(JANUARY, &[(1, 10)]), metadata).await;
    let failure = world.failure(JANUARY).await;
    assert!(failure.class == "bad_metadata" && failure.message.contains("yesterday"), "{failure:?}");
    assert_eq!(world.candles().await, []);
    assert!(world.value(ERROR).await.starts_with("metadata raw-written is \"yesterday\""));
    world.load_rows(JANUARY, 1, &[(1, 10)]).await;
    assert_eq!(world.value(ERROR).await, "");
}

const REPORTS: &str = "reports/interval=1min/symbol=AAPL/2024-01.json";

/// Puts a cleaning report for the raw object with an entity tag.
async fn put_report(world: &World, raw_etag: &str, rows: Rows) {
    let source = Source { etag: raw_etag.to_owned(), ..Source::default() };
    let report = Report { symbol: "AAPL".to_owned(), source, rows, ..Report::default() };
    world.put(REPORTS, serde_json::to_vec(&report).unwrap(), Metadata::new()).await;
}

async fn a_report_becomes_a_row_of_quality(world: World) {
    let quality = "select concat_ws(' ', rows_read, kept, filled, quarantined, report->>'symbol') from quality";
    for read in [7, 8] {
        let quarantined = [("low".to_owned(), 1), ("future".to_owned(), 2)].into();
        let rows = Rows { read, kept: 3, filled: 1, quarantined, ..Rows::default() };
        put_report(&world, "raw-etag", rows).await;
        world.load_rows(JANUARY, 1, &[(1, read as u32)]).await;
        assert_eq!(world.value(quality).await, format!("{read} 3 1 3 AAPL"));
    }
    world.put(REPORTS, "no report", Metadata::new()).await;
    world.load_rows(JANUARY, 1, &[(1, 9)]).await;
    assert_eq!((world.value(quality).await, world.candles().await), ("8 3 1 3 AAPL".to_owned(), vec![(1, 9)]));
}

/// A transform that reads an old raw object writes its report before it notices that it is late, so the report of the
/// old object may accompany the newer transformed object when that is loaded. The transform then writes both again, and
/// the object is delivered again.
async fn a_report_on_another_cleaning_is_not_kept_but_the_right_one_is_when_it_comes(world: World) {
    let rows = |read| Rows { read, kept: read, ..Rows::default() };
    let quality = "select coalesce(string_agg(rows_read::text, ' '), 'none') from quality";
    put_report(&world, "older-etag", rows(7)).await;
    world.load_rows(JANUARY, 1, &[(1, 10)]).await;
    assert_eq!(world.value(quality).await, "none");
    put_report(&world, "raw-etag", rows(1)).await;
    world.superseded(JANUARY).await;
    assert_eq!(world.value(quality).await, "1");
}

async fn what_is_said_of_an_instrument_is_kept(world: World) {
    let instruments =
        "select coalesce(string_agg(concat_ws(' ', symbol, instrument_type, currency, calendar, timezone), ''), '')
        from instruments";
    world.load_rows(JANUARY, 1, &[(1, 10)]).await;
    assert_eq!(world.value(instruments).await, "");
    for currency in ["USD", "EUR"] {
        let said = |text: &str| Some(text.to_owned());
        let instrument = Instrument {
            instrument_type: said("ETF"),
            currency: said(currency),
            calendar: said("XNYS"),
            timezone: said("UTC"),
        };
        let from = TransformedMetadata { instrument, ..origin(2) };
        world.put(JANUARY, body(JANUARY, &[(1, currency.as_bytes()[0].into())]), from.write()).await;
        world.done(JANUARY).await;
        assert_eq!(world.value(instruments).await, format!("AAPL ETF {currency} XNYS UTC"));
    }
    world.load_rows(JANUARY, 3, &[(1, 12)]).await;
    assert_eq!(world.value(instruments).await, "AAPL ETF EUR XNYS UTC");
}

async fn the_ledger_says_where_a_version_came_from(world: World) {
    let from = TransformedMetadata {
        fetched_at: Some("2024-12-30T22:00:00.123456Z".parse().unwrap()),
        transformed_at: Some("2024-12-30T22:00:01Z".parse().unwrap()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap()),
        run: Some("run-1".to_owned()),
        ..origin(1_735_596_000)
    };
    world.put(JANUARY, body(JANUARY, &[(1, 10)]), from.write()).await;
    world.done(JANUARY).await;
    let ledger = "select concat_ws('|', raw_key, raw_etag, run, trace_id, raw_written at time zone 'UTC',
        fetched_at at time zone 'UTC', transformed_at at time zone 'UTC', loaded_at at time zone 'UTC') from objects";
    let expected = "raw/file.csv|raw-etag|run-1|0af7651916cd43dd8448eb211c80319c|2024-12-30 22:00:00\
        |2024-12-30 22:00:00.123456|2024-12-30 22:00:01|2024-12-31 00:00:00";
    assert_eq!(world.value(ledger).await, expected);
}
