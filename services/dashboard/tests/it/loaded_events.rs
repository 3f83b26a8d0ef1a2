//! Events of loads: read in pages, awaited, and refused in words.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        events_are_read_on_with_their_cursors,
        without_a_cursor_only_what_comes_is_read,
        an_answer_waits_for_the_next_load_of_the_series,
        what_is_no_cursor_is_refused_with_an_example
    ]
}

const PATH: &str = "/api/v1/events/loaded";

fn symbols(page: &Value) -> Vec<&str> {
    page["events"].as_array().unwrap().iter().map(|event| event["data"]["symbol"].as_str().unwrap()).collect()
}

async fn events_are_read_on_with_their_cursors(world: World) {
    world.load("AAPL", "2024-12-30", &["1"]).await;
    world.load("BTC/USD", "2024-12-30", &["1", "2"]).await;
    let whole = world.json(&format!("{PATH}?after=0")).await;
    assert_eq!((symbols(&whole), &whole["is_more"]), (vec!["AAPL", "BTC/USD"], &Value::Bool(false)));
    let first = world.json(&format!("{PATH}?after=0&limit=1")).await;
    assert_eq!((symbols(&first), &first["is_more"]), (vec!["AAPL"], &Value::Bool(true)));
    assert_eq!(first["events"][0], whole["events"][0]);
    assert_eq!(first["events"][0]["cursor"], first["next"]);
    let rest = world.json(&format!("{PATH}?after={}", first["next"])).await;
    assert_eq!(rest["events"], Value::from(whole["events"].as_array().unwrap()[1..].to_vec()));
    let of_one = world.json(&format!("{PATH}?after=0&symbol=BTC/USD&interval=1day")).await;
    assert_eq!((symbols(&of_one), &of_one["events"][0]["data"]["rows"]["total"]), (vec!["BTC/USD"], &Value::from(2)));
}

async fn without_a_cursor_only_what_comes_is_read(world: World) {
    world.load("AAPL", "2024-12-30", &["1"]).await;
    let now = world.json(PATH).await;
    assert!(symbols(&now).is_empty(), "{now}");
    world.load("MSFT", "2024-12-30", &["1"]).await;
    let next = world.json(&format!("{PATH}?after={}", now["next"])).await;
    assert_eq!(symbols(&next), ["MSFT"]);
}

async fn an_answer_waits_for_the_next_load_of_the_series(world: World) {
    let begun = Instant::now();
    let now = world.json(PATH).await;
    let load = async {
        world.load("MSFT", "2024-12-30", &["1"]).await;
        world.load("AAPL", "2024-12-30", &["1"]).await;
    };
    let path = format!("{PATH}?wait=50s&symbol=AAPL&after={}", now["next"]);
    let (page, ()) = tokio::join!(world.json(&path), load);
    assert_eq!(symbols(&page), ["AAPL"]);
    assert!(begun.elapsed() < Duration::from_secs(50), "it waited until the time was over");
    let page = world.json(&format!("{PATH}?wait=0s&symbol=NOBODY")).await;
    assert!(symbols(&page).is_empty());
}

async fn what_is_no_cursor_is_refused_with_an_example(world: World) {
    for (query, words) in [
        ("after=x", "4711"),
        ("after=99999999999", "begin with 0"),
        ("wait=2m", "30s"),
        ("limit=0", "within 1 and 1000"),
        ("symbols=AAPL", "symbols"),
    ] {
        let response = world.get(&format!("{PATH}?{query}")).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status == 400 && text.contains(words), "{query}: {status} {text}");
    }
}
