//! From one message to one message a series.

use std::collections::BTreeSet;

use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::run::RunKind;
use candlewick_shared::runtime::outcome::{Setback, Settled};
use candlewick_simulator::settings::Settings;

use crate::support::{World, class, fetch, world};

/// Run, symbol and interval of each message, and that each has a trace of its own.
async fn asked(world: &World) -> Vec<String> {
    let messages = world.messages().await;
    let fetch = |message: &IngestMessage| match message {
        IngestMessage::Fetch { run, symbol, interval, traceparent, .. } => {
            (format!("{run} {symbol} {interval}"), traceparent.clone())
        }
        IngestMessage::Refresh(_) => panic!("a list of one page has no next one"),
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
    let entry = world.book.entry("message-1");
    assert!(entry.has_ended && entry.error.unwrap().contains("TSLA is not on the watchlist"));
}

#[tokio::test]
async fn a_message_that_is_none_is_a_permanent_failure() {
    let world = world(Settings::default()).await;
    for body in ["", "{}", r#"{"kind":"fetch"}"#, r#"{"kind":"fetch","symbol":"A B"}"#, r#"{"Records":[]}"#] {
        assert_eq!(class(&world.deliver(body).await), "bad_message", "{body}");
    }
}

/// A list of as many symbols, each with two intervals.
fn long(world: &World, symbols: usize) {
    let symbols: Vec<_> = (0..symbols).map(|at| format!("\"S{at:04}\"")).collect();
    let text = format!("[groups.a]\nsymbols = [{}]\nintervals = [\"1day\", \"1h\"]", symbols.join(", "));
    std::fs::write(&world.watchlist, text).unwrap();
}

/// What the queue holds: the fetches by their series, and the next page.
async fn page(world: &World) -> (Vec<String>, Option<String>) {
    let mut fetches = Vec::new();
    let mut next = None;
    for message in world.messages().await {
        match &message {
            IngestMessage::Fetch { symbol, interval, .. } => fetches.push(format!("{symbol} {interval}")),
            IngestMessage::Refresh(_) => next = Some(serde_json::to_string(&message).unwrap()),
        }
    }
    (fetches, next)
}

#[tokio::test]
async fn a_long_list_is_asked_for_page_by_page_and_each_series_once() {
    let world = world(Settings::default()).await;
    long(&world, 120);
    let mut next = Some(r#"{"kind":"refresh","run":"r"}"#.to_owned());
    let mut asked = Vec::new();
    let mut pages = 0;
    while let Some(body) = next {
        world.deliver(&body).await.unwrap();
        let (fetches, behind) = page(&world).await;
        assert!(fetches.len() <= 100);
        asked.extend(fetches);
        (next, pages) = (behind, pages + 1);
    }
    let expected: Vec<_> = (0..120).flat_map(|at| [format!("S{at:04} 1h"), format!("S{at:04} 1day")]).collect();
    asked.sort();
    assert_eq!((pages, asked.len()), (3, 240));
    assert!(asked.iter().all(|series| expected.contains(series)));
    let entry = world.book.entry("r");
    assert!(entry.is_laid_out && entry.series.len() == 240 && entry.pages == 3, "{entry:?}");
}

#[tokio::test]
async fn a_page_that_is_laid_out_is_not_again() {
    let world = world(Settings::default()).await;
    long(&world, 120);
    let first = r#"{"kind":"refresh","run":"r"}"#;
    world.deliver(first).await.unwrap();
    let (_, second) = page(&world).await;
    let second = second.unwrap();
    assert!(matches!(world.deliver(first).await.unwrap(), Settled::Superseded(_)), "delivered again");
    world.deliver(&second).await.unwrap();
    page(&world).await;
    for again in [first, &second] {
        assert!(matches!(world.deliver(again).await.unwrap(), Settled::Superseded(_)), "{again}");
    }
    assert_eq!(page(&world).await, (vec![], None));
}

#[tokio::test]
async fn a_page_whose_death_nobody_noted_is_laid_out_again() {
    let world = world(Settings::default()).await;
    world.book.set_down(true);
    let body = r#"{"kind":"refresh","run":"r"}"#;
    assert!(matches!(world.deliver(body).await, Err(Setback::Down(_))));
    assert_eq!(asked(&world).await, [""; 0], "nobody is asked for what the run does not expect");
    world.book.set_down(false);
    world.deliver(body).await.unwrap();
    assert_eq!(asked(&world).await.len(), 4);
}

#[tokio::test]
async fn two_messages_that_say_the_same_time_are_one_run() {
    let world = world(Settings::default()).await;
    let due = r#"{"kind":"refresh","scheduled":"2024-12-30T21:30:00Z"}"#;
    assert_eq!(world.deliver_as("message-1", due).await.unwrap(), Settled::Done);
    assert!(matches!(world.deliver_as("message-2", due).await.unwrap(), Settled::Superseded(_)));
    assert_eq!(asked(&world).await.len(), 4);
    let run = world.book.entry("20241230T213000-scheduled").run;
    assert_eq!((run.kind, run.requested_at.to_string()), (RunKind::Scheduled, "2024-12-30T21:30:00Z".to_owned()));
}

#[tokio::test]
async fn what_was_fetched_since_is_left_out() {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    world.deliver(&fetch("MSFT", "1h")).await.unwrap();
    let since = |time: &str| format!(r#"{{"kind":"refresh","run":"{time}","fetched_before":"{time}"}}"#);
    world.deliver(&since("2024-12-30T22:00:30Z")).await.unwrap();
    let names =
        |asked: Vec<String>| asked.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>();
    assert_eq!(names(asked(&world).await), ["AAPL 1h", "MSFT 1day"]);
    world.deliver(&since("2024-12-30T22:00:31Z")).await.unwrap();
    assert_eq!(asked(&world).await.len(), 4, "all of it is older");
}

#[tokio::test]
async fn an_edit_holds_at_the_next_refresh_and_a_broken_one_waits_to_be_mended() {
    let world = world(Settings::default()).await;
    let good = "[groups.a]\nsymbols = [\"MSFT\"]\n";
    std::fs::write(&world.watchlist, good.replace("symbols", "symbol")).unwrap();
    let body = r#"{"kind":"refresh","run":"r"}"#;
    let Err(Setback::Later { reason, .. }) = world.deliver(body).await else { panic!("it does not wait") };
    assert!(reason.contains("line 2, groups.a.symbol"), "{reason}");
    assert!(world.book.entry("r").error.unwrap().contains("line 2, groups.a.symbol"), "the run says so");
    std::fs::write(&world.watchlist, good).unwrap();
    world.deliver(body).await.unwrap();
    assert_eq!(asked(&world).await, ["r MSFT 1day"]);
    assert_eq!(world.book.entry("r").error, None);
}
