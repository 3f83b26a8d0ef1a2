//! From an answer of the API to a raw object.

use candlewick_shared::core::metadata::{Instrument, RawMetadata};
use candlewick_shared::runtime::outcome::Settled;
use candlewick_simulator::settings::Settings;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{KEY, NOW, TRACE, World, faulty, fetch, world};

const RAW: &str = "raw/interval=1day/symbol=AAPL/candles.csv";

/// What the API says of the same window, asked without Candlewick.
async fn said(world: &World) -> Value {
    let url = format!("{}/time_series?symbol=AAPL&interval=1day&outputsize=5000&start_date=2019-12-30", world.url);
    let request = reqwest::Client::new().get(url).header("Authorization", format!("apikey {KEY}"));
    serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_raw_object_has_the_digits_of_the_api() {
    let world = world(Settings::default()).await;
    assert_eq!(world.deliver(&fetch("AAPL", "1day")).await.unwrap(), Settled::Done);
    let object = world.object(RAW).await;
    let text = String::from_utf8(object.body.to_vec()).unwrap();
    let said = said(&world).await;
    let cell = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let row =
        |row: &Value| ["datetime", "open", "high", "low", "close", "volume"].map(|name| cell(row, name)).join(",");
    let mut expected: Vec<_> = said["values"].as_array().unwrap().iter().map(row).collect();
    let mut rows: Vec<_> = text.lines().skip(1).map(str::to_owned).collect();
    assert!(rows.len() > 1200, "{}", rows.len());
    rows.sort();
    expected.sort();
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn what_is_known_of_the_candles_stands_beside_them() {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    let object = world.object(RAW).await;
    let text = |text: &str| Some(text.to_owned());
    let expected = RawMetadata {
        source: text("twelvedata"),
        fetched_at: Some(NOW.parse().unwrap()),
        instrument: Instrument {
            instrument_type: text("Common Stock"),
            currency: text("USD"),
            calendar: text("XNGS"),
            timezone: text("America/New_York"),
        },
        adjust: text("splits"),
        sha256: Some(Sha256::digest(&object.body).iter().map(|byte| format!("{byte:02x}")).collect()),
        traceparent: Some(TRACE.parse().unwrap()),
        run: text("run-1"),
        first_written: None,
        is_emptied: false,
        form: Default::default(),
    };
    assert_eq!(RawMetadata::read(&object.info.metadata).unwrap(), expected);
}

#[tokio::test]
async fn intraday_candles_are_an_object_a_month_with_times_in_utc() {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("AAPL", "1h")).await.unwrap();
    let keys = world.store.keys();
    // The API has intraday candles since February 2020.
    assert_eq!(keys.len(), 59);
    assert!(keys.contains(&"raw/interval=1h/symbol=AAPL/2024-12.csv".to_owned()));
    let object = world.object("raw/interval=1h/symbol=AAPL/2024-11.csv").await;
    let metadata = RawMetadata::read(&object.info.metadata).unwrap();
    assert_eq!((metadata.instrument.timezone.as_deref(), metadata.adjust), (Some("UTC"), None));
    let text = String::from_utf8(object.body.to_vec()).unwrap();
    // The first session of that month was before the clocks went back, and the last one behind it.
    assert!(text.contains("\n2024-11-01 13:30:00,") && text.contains("\n2024-11-29 14:30:00,"), "{text}");
    assert!(text.lines().skip(1).all(|line| line.starts_with("2024-11-")), "{text}");
}

#[tokio::test]
async fn null_prices_are_kept_as_empty_cells_for_cleaning_to_judge() {
    let world = faulty("null").await;
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    let lines = world.lines(RAW).await;
    let empty = lines.iter().filter(|line| line.contains(",,,,")).count();
    assert_eq!(empty, lines.len().div_ceil(5), "every fifth");
}

#[tokio::test]
async fn what_the_api_adds_beyond_the_end_is_cut_off() {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("BTC/USD", "1h")).await.unwrap();
    // The API takes the end of an intraday window in, and this market never rests.
    let lines = world.lines("raw/interval=1h/symbol=BTC%2FUSD/2024-11.csv").await;
    assert_eq!(lines.len(), 30 * 24);
    assert!(lines.iter().all(|line| line.starts_with("2024-11-")), "{lines:?}");
}

#[tokio::test]
async fn an_empty_window_writes_nothing_and_is_settled() {
    let world = faulty("empty-values").await;
    assert_eq!(world.deliver(&fetch("AAPL", "1day")).await.unwrap(), Settled::Done);
    assert_eq!(world.store.keys(), [""; 0]);
}

#[tokio::test]
async fn fetched_twice_is_the_same_object() {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    let first = world.object(RAW).await;
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    assert_eq!(world.object(RAW).await.body, first.body);
}
