//! Reads of the objects ledger, the reports and the bucket.

use std::sync::Arc;

use candlewick_dashboard::app::App;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use libtest_mimic::Trial;
use serde_json::json;

use crate::support::{World, open_guard};

pub fn trials() -> Vec<Trial> {
    trials![
        a_series_at_a_glance,
        a_search_finds_by_a_part_of_the_symbol,
        a_candle_is_led_back_to_its_source,
        claims_that_a_newer_object_has_are_not_counted,
        sessions_are_held_to_the_calendar,
        rows_that_were_quarantined_come_by_pages,
        the_ledger_comes_by_pages,
        a_watchlist_in_a_bucket_is_read_anew_when_it_changes
    ]
}

/// The report of a cleaning that found a gap and quarantined a row.
const REPORT: &str = r#"{"schema":1,"rules":1,"symbol":"AAPL","interval":"1day",
    "source":{"key":"raw/x","etag":"r1","as_of":"2024-12-30T22:00:00Z"},
    "calendar":{"code":"XNYS","version":null,"reason":"the source names it: XNYS","horizon":null},"max_fill":3,
    "rows":{"read":4,"empty":0,"provisional":0,"refilled":0,"collapsed":0,"quarantined":{"missing":1},"kept":3,
            "unchecked":0,"filled":0,"written":3},
    "touched":{"quarantined":{"share":0.25,"threshold":0.01,"passed":true},"filled":{"share":0,"threshold":0.05,"passed":false}},
    "first":"2024-12-18","last":"2024-12-20","ignored_columns":[],
    "gaps":[{"first":"2024-12-10","last":"2024-12-13","slots":4,"fate":"too_long"},
            {"first":"2024-12-16","last":"2024-12-16","slots":1,"fate":"filled"}]}"#;

async fn report(world: &World, id: i64) {
    let insert = "insert into quality (object_id, rows_read, kept, filled, quarantined, report) values ($1, 4, 3, 0, 1, $2::jsonb)";
    sqlx::query(insert).bind(id).bind(REPORT).execute(&world.owner).await.unwrap();
}

async fn a_series_at_a_glance(world: World) {
    let id = world.load("AAPL", "2024-12-18", &["200.00", "190.00", "189.05"]).await;
    report(&world, id).await;
    let series = world.json("/api/v1/series/AAPL/1day").await;
    // The last candle is that of Friday the twentieth; Monday's has been due since the close in New York.
    let expected = json!({
        "symbol": "AAPL", "interval": "1day", "candles": 3, "first": "2024-12-18", "last": "2024-12-20",
        "close": "189.05", "change": "-0.95", "change_percent": "-0.50", "spark": [200.0, 190.0, 189.05], "group": null,
        "behind_seconds": 7 * 86_400 + 15 * 3_600, "state": "late", "age_seconds": 11 * 86_400 + 12 * 3_600,
        "gaps": 4, "quarantined": 1, "filled": 0, "error": null, "currency": null, "instrument_type": null,
        "timezone": "America/New_York", "calendar": "XNYS", "loaded_at": "2024-12-30T22:00:05Z",
    });
    assert_eq!(series, expected);
}

async fn a_search_finds_by_a_part_of_the_symbol(world: World) {
    for symbol in ["AAPL", "AMZN", "BTC/USD", "EUR/USD"] {
        world.load(symbol, "2024-12-18", &["1"]).await;
    }
    let symbols = async |query: &str| -> Vec<String> {
        let page = world.json(&format!("/api/v1/series?{query}")).await;
        let rows = page["rows"].as_array().unwrap().iter().map(|row| row["symbol"].as_str().unwrap().to_owned());
        rows.chain(page["next"].as_i64().map(|next| next.to_string())).collect()
    };
    assert_eq!(symbols("search=usd").await, ["BTC/USD", "EUR/USD"]);
    assert_eq!(symbols("limit=3").await, ["AAPL", "AMZN", "BTC/USD", "3"]);
    assert_eq!(symbols("limit=3&after=3").await, ["EUR/USD"]);
}

async fn a_candle_is_led_back_to_its_source(world: World) {
    world.load("AAPL", "2024-12-18", &["1.10", "2.20"]).await;
    world.put("raw/interval=1day/symbol=AAPL/candles.csv", "date,open,high,low,close\n").await;
    let lineage = world.json("/api/v1/series/AAPL/1day/lineage?time=2024-12-19").await;
    assert_eq!(lineage["candle"]["close"], "2.20");
    let object = &lineage["object"];
    let hops = ["fetched_at", "transformed_at", "loaded_at"].map(|hop| object[hop].as_str().unwrap());
    assert_eq!(hops, ["2024-12-30T22:00:01Z", "2024-12-30T22:00:02Z", "2024-12-30T22:00:05Z"]);
    assert_eq!((&object["run"], &object["trace_id"]), (&json!("run-1"), &json!("0af7651916cd43dd8448eb211c80319c")));
    assert_eq!((&lineage["raw"]["size"], &lineage["raw"]["is_the_source"]), (&json!(25), &json!(false)));
}

async fn claims_that_a_newer_object_has_are_not_counted(world: World) {
    world.load("AAPL", "2024-12-18", &["1", "2", "3"]).await;
    world.run("insert into objects (key, symbol, interval, rows_total) values ('older', 'AAPL', '1day', 2)").await;
    world
        .run(
            "insert into shadowed_candles select symbol, interval, time, open, high, low, close, volume, is_filled,
        (select id from objects where key = 'older') from candles limit 2",
        )
        .await;
    assert_eq!(world.json("/api/v1/series/AAPL/1day").await["candles"], 3);
    let shadowed = world.json("/api/v1/series/AAPL/1day/lineage?time=2024-12-18").await["shadowed"].clone();
    assert_eq!(shadowed, json!(["older"]));
}

async fn sessions_are_held_to_the_calendar(world: World) {
    let id = world.load("AAPL", "2024-12-18", &["1", "2", "3"]).await;
    report(&world, id).await;
    world.run("update candles set is_filled = true where close = 2").await;
    let sessions = world.json("/api/v1/series/AAPL/1day/sessions?days=14").await["sessions"].clone();
    let cell =
        |date: &str, actual: u32, filled: u32| json!({"date": date, "expected": 1, "actual": actual, "filled": filled});
    let expected = [
        cell("2024-12-17", 0, 0),
        cell("2024-12-18", 1, 0),
        cell("2024-12-19", 1, 1),
        cell("2024-12-20", 1, 0),
        cell("2024-12-23", 0, 0),
        cell("2024-12-24", 0, 0),
        cell("2024-12-26", 0, 0),
        cell("2024-12-27", 0, 0),
        cell("2024-12-30", 0, 0),
    ];
    assert_eq!(sessions, json!(expected));
    let gaps = world.json("/api/v1/series/AAPL/1day/gaps").await;
    assert_eq!(gaps, json!([{"first": "2024-12-10", "last": "2024-12-13", "slots": 4, "fate": "too_long"}]));
}

async fn rows_that_were_quarantined_come_by_pages(world: World) {
    let id = world.load("AAPL", "2024-12-18", &["1"]).await;
    world
        .put(
            "quarantine/interval=1day/symbol=AAPL/candles.csv",
            "line,column,reason,row\n2,close,missing,\"a,b\"\n7,open,missing,c\n",
        )
        .await;
    let first = world.json(&format!("/api/v1/objects/{id}/quarantine?limit=1")).await;
    assert_eq!(first, json!({"rows": [{"line": 2, "column": "close", "reason": "missing", "row": "a,b"}], "next": 2}));
    let second = world.json(&format!("/api/v1/objects/{id}/quarantine?limit=1&after=2")).await;
    assert_eq!((&second["rows"][0]["line"], &second["next"]), (&json!(7), &json!(null)));
    assert!(world.page(&format!("/quality/{id}")).await.contains("a,b"));
}

async fn the_ledger_comes_by_pages(world: World) {
    for symbol in ["A", "B", "C"] {
        world.load(symbol, "2024-12-18", &["1"]).await;
    }
    let first = world.json("/api/v1/objects?limit=2").await;
    let second = world.json(&format!("/api/v1/objects?limit=2&after={}", first["next"])).await;
    let symbols = |page: &serde_json::Value| {
        page["rows"].as_array().unwrap().iter().map(|row| row["symbol"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((symbols(&first), symbols(&second)), (vec![json!("C"), json!("B")], vec![json!("A")]));
}

async fn a_watchlist_in_a_bucket_is_read_anew_when_it_changes(world: World) {
    let location = "s3://b/config/watchlist.toml".parse().unwrap();
    let source = WatchlistSource::new(location, |_| Arc::clone(&world.store), Arc::new(LogNotifier));
    let guard = open_guard();
    let address = world.serve(App { watchlist: Some(Arc::new(source)), ..world.app() }, guard).await;
    let ask = async |path: &str| {
        let answer = world.ask(address, path, &[]).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, text) = ask("/api/v1/series").await;
    assert!(status == 503 && text.contains("s3://b/config/watchlist.toml: there is no watchlist"), "{status} {text}");
    for symbols in [&["MSFT"][..], &["MSFT", "NVDA"]] {
        world.put("config/watchlist.toml", &format!("[groups.a]\nsymbols = {symbols:?}\n")).await;
        let (_, text) = ask("/api/v1/series").await;
        let series: serde_json::Value = serde_json::from_str(&text).unwrap();
        let listed: Vec<_> = series["rows"].as_array().unwrap().iter().map(|row| row["symbol"].clone()).collect();
        assert_eq!(listed, symbols);
    }
    world.put("config/watchlist.toml", "[groups.a]\nsymbol = []\n").await;
    let (status, text) = ask("/symbol/NVDA/1day").await;
    assert!(status == 503 && text.contains("groups.a.symbol"), "{status} {text}");
}
