//! Which errors of the API pass, and when; and that none shows a secret.

use std::time::Duration;

use candlewick_ingest::credits::budget::Plan;
use candlewick_ingest::fetch::client::Client;
use candlewick_shared::runtime::outcome::{Outcome, Setback};
use candlewick_simulator::settings::Settings;

use serde_json::json;

use crate::support::{KEY, World, class, deliver, faulty, fetch, world};

async fn answered(world: &World, symbol: &str) -> Outcome {
    let outcome = world.deliver(&fetch(symbol, "1day")).await;
    world.no_text_shows_url_or_key(&outcome);
    assert_eq!(world.store.keys(), [""; 0]);
    outcome
}

#[tokio::test]
async fn a_symbol_that_nobody_lists_is_a_permanent_failure_with_its_trace() {
    let outcome = answered(&world(Settings::default()).await, "NOSUCHSYMBOL").await;
    assert_eq!(class(&outcome), "unknown_symbol");
    let Err(Setback::Permanent(failure)) = outcome else { panic!("not permanent") };
    assert!(failure.message.contains("NOSUCHSYMBOL 1day"), "{}", failure.message);
    assert_eq!(failure.trace_id.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
}

#[tokio::test]
async fn a_symbol_of_a_larger_plan_is_a_permanent_failure() {
    for status200 in [false, true] {
        // The API uses both codes.
        for code in [403, 404] {
            let world = world(Settings::default()).await;
            let rule = json!({"kind": "plan-gate", "code": code});
            world.set("faults", json!({"rules": [rule], "status200_errors": status200})).await;
            let outcome = answered(&world, "AAPL").await;
            assert_eq!(class(&outcome), "plan");
            assert!(format!("{outcome:?}").contains("upgrade the plan"), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_a_permanent_failure_that_does_not_show_it() {
    let world = world(Settings::default()).await;
    let outcome = world.deliver_with(&fetch("AAPL", "1day"), "another-secret").await;
    assert_eq!(class(&outcome), "api_key");
    assert!(!format!("{outcome:?}").contains("another-secret"), "{outcome:?}");
}

#[tokio::test]
async fn credits_that_are_used_up_come_back_with_the_minute_or_the_day() {
    // The time is half a minute past ten in the evening, UTC; a second more, because clocks differ.
    for (fault, expected) in [("429-minute", 31), ("429-day", 2 * 3600 - 30 + 1)] {
        for faults in [fault.to_owned(), format!("{fault},status200-errors")] {
            let outcome = answered(&faulty(&faults).await, "AAPL").await;
            let Err(Setback::Later { wait, reason }) = outcome else { panic!("not later: {outcome:?}") };
            assert_eq!(wait, Duration::from_secs(expected), "{faults}");
            assert!(reason.contains("credits"), "{reason}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_asked_for_again() {
    for fault in ["cut", "no-values"] {
        let outcome = answered(&faulty(fault).await, "AAPL").await;
        assert!(matches!(outcome, Err(Setback::Retry(_))), "{fault}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_error_of_a_server_is_an_outage_and_buries_nothing() {
    for fault in ["html", "500", "500,status200-errors"] {
        let outcome = answered(&faulty(fault).await, "AAPL").await;
        assert!(matches!(outcome, Err(Setback::Down(_))), "{fault}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_api_that_is_not_there_stops_receiving_and_costs_no_credit() {
    let mut world = world(Settings::default()).await;
    let nowhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    world.url = format!("http://{nowhere}");
    let outcome = answered(&world, "AAPL").await;
    assert!(matches!(outcome, Err(Setback::Down(_))), "{outcome:?}");
    let ingest = world.ingest(Plan { per_minute: Some(1), per_day: Some(1) }, KEY);
    for _ in 0..3 {
        let outcome = deliver(ingest.clone(), &fetch("AAPL", "1day")).await;
        assert!(matches!(outcome, Err(Setback::Down(_))), "{outcome:?}");
    }
}

#[test]
fn a_key_that_cannot_be_one_is_refused_without_showing_it() {
    let error = Client::new("http://localhost", &"a\nsecret".into()).unwrap_err();
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}
