//! From one message to one message a series.

use std::collections::BTreeSet;

use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::runtime::outcome::Settled;
use candlewick_simulator::settings::Settings;

use crate::support::{World, class, world};

/// Run, symbol and interval of each message, and that each has a trace of its own.
async fn asked(world: &World) -> Vec<String> {
    let messages = world.messages().await;
    let fetch = |message: &IngestMessage| match message {
        IngestMessage::Fetch { run, symbol, interval, traceparent } => {
            (format!("{run} {symbol} {interval}"), traceparent.clone())
        }
        IngestMessage::Refresh { .. } => panic!("a refresh asks for no refresh"),
    };
    let (mut asked, traces): (Vec<_>, BTreeSet<_>) = messages.iter().map(fetch).unzip();
    assert_eq!(traces.len(), asked.len());
    asked.sort();
    asked
}

#[tokio::test]
async fn a_refresh_asks_for_every_series_under_its_run() {
    let world = world(Settings::default()).await;
    assert_eq!(world.deliver(r#"{"kind":"refresh","run":"r"}"#).await.unwrap(), Settled::Done);
    assert_eq!(asked(&world).await, ["r AAPL 1day", "r AAPL 1h", "r MSFT 1day", "r MSFT 1h"]);
    assert_eq!(world.store.keys(), [""; 0]);
}

#[tokio::test]
async fn a_refresh_of_some_symbols_asks_for_those() {
    let world = world(Settings::default()).await;
    world.deliver(r#"{"kind":"refresh","run":"r","symbols":["MSFT"]}"#).await.unwrap();
    assert_eq!(asked(&world).await, ["r MSFT 1day", "r MSFT 1h"]);
}

#[tokio::test]
async fn a_refresh_without_a_run_is_named_by_its_message() {
    let world = world(Settings::default()).await;
    world.deliver(r#"{"kind":"refresh","symbols":["MSFT"]}"#).await.unwrap();
    assert_eq!(asked(&world).await, ["message-1 MSFT 1day", "message-1 MSFT 1h"]);
}

#[tokio::test]
async fn a_symbol_that_is_not_on_the_watchlist_asks_for_nothing() {
    let world = world(Settings::default()).await;
    let outcome = world.deliver(r#"{"kind":"refresh","symbols":["MSFT","TSLA"]}"#).await;
    assert_eq!(class(&outcome), "unknown_symbol");
    assert_eq!(asked(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_message_that_is_none_is_a_permanent_failure() {
    let world = world(Settings::default()).await;
    for body in ["", "{}", r#"{"kind":"fetch"}"#, r#"{"kind":"fetch","symbol":"A B"}"#, r#"{"Records":[]}"#] {
        assert_eq!(class(&world.deliver(body).await), "bad_message", "{body}");
    }
}
