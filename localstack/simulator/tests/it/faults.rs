//! Faults on demand and the control endpoints, over HTTP.

use candlewick_simulator::fault_text::parse_faults;
use candlewick_simulator::settings::Settings;
use serde_json::{Value, json};

use crate::support::{Served, served};

const APPLE: &str = "/time_series?symbol=AAPL&interval=1day&outputsize=10";
const MICROSOFT: &str = "/time_series?symbol=MSFT&interval=1day&outputsize=10";

async fn with_rule(rule: Value) -> Served {
    let api = served(Settings::default()).await;
    let put = api.put("/_simulator/faults", json!({ "rules": [rule] })).await;
    assert_eq!(put.status(), 200);
    api
}

async fn json_of(api: &Served, url: &str) -> (u16, Value) {
    let response = api.get(url).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn the_next_answers_for_one_symbol_are_html() {
    let api = with_rule(json!({ "kind": "html", "symbol": "MSFT", "times": 2 })).await;
    assert_eq!(json_of(&api, APPLE).await.1["status"], "ok");
    for _ in 0..2 {
        let response = api.get(MICROSOFT).await;
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        assert!(response.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    }
    assert_eq!(json_of(&api, MICROSOFT).await.1["status"], "ok");
}

#[tokio::test]
async fn a_cut_body_is_announced_whole_and_ends_halfway() {
    let api = with_rule(json!({ "kind": "cut", "times": 1 })).await;
    let response = api.get(APPLE).await;
    assert!(response.status() == 200 && response.content_length().unwrap() > 500);
    assert!(response.bytes().await.is_err());
    assert_eq!(json_of(&api, APPLE).await.0, 200);
}

#[tokio::test]
async fn a_slow_answer_is_late_and_whole() {
    let api = with_rule(json!({ "kind": "slow", "delay_ms": 150, "times": 1 })).await;
    let begun = std::time::Instant::now();
    assert_eq!(json_of(&api, APPLE).await.1["status"], "ok");
    assert!(begun.elapsed().as_millis() >= 150);
}

#[tokio::test]
async fn errors_come_with_their_code_or_another() {
    for (rule, code, words) in [
        (json!({ "kind": "500" }), 500, "Internal server error"),
        (json!({ "kind": "500", "code": 503 }), 503, "Internal server error"),
        (json!({ "kind": "429-minute" }), 429, "You have run out of API credits for the current minute."),
        (json!({ "kind": "429-day" }), 429, "You have run out of API credits for the day."),
        (json!({ "kind": "plan-gate" }), 403, "This symbol is available starting with Grow plan."),
        (json!({ "kind": "plan-gate", "code": 404 }), 404, "This symbol is available starting with Grow plan."),
    ] {
        let (status, answer) = json_of(&with_rule(rule).await, APPLE).await;
        assert_eq!((status, &answer["code"], &answer["status"]), (code, &code.into(), &"error".into()));
        assert!(answer["message"].as_str().unwrap().starts_with(words), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_that_is_ok_may_lack_values() {
    let nulls = json_of(&with_rule(json!({ "kind": "null" })).await, APPLE).await.1;
    assert!(nulls["values"][0]["close"].is_null() && nulls["values"][1]["close"].is_string());
    let none = json_of(&with_rule(json!({ "kind": "no-values" })).await, APPLE).await.1;
    assert!(none.get("values").is_none() && none["status"] == "ok");
    let empty = json_of(&with_rule(json!({ "kind": "empty-values" })).await, APPLE).await.1;
    assert!(empty["values"] == json!([]) && empty["status"] == "ok");
}

#[tokio::test]
async fn a_fault_of_one_symbol_leaves_the_others_of_a_batch() {
    let api = with_rule(json!({ "kind": "no-values", "symbol": "MSFT" })).await;
    let answer = json_of(&api, "/time_series?symbol=AAPL,MSFT&interval=1day").await.1;
    assert!(answer["AAPL"].get("values").is_some() && answer["MSFT"].get("values").is_none());
}

#[tokio::test]
async fn errors_may_all_come_with_status_200() {
    let api = served(Settings { faults: parse_faults("status200-errors").unwrap(), ..Settings::default() }).await;
    let (status, answer) = json_of(&api, "/time_series?symbol=NOSUCH&interval=1day").await;
    assert_eq!((status, &answer["code"]), (200, &404.into()));
}

#[tokio::test]
async fn unreadable_control_bodies_are_refused_and_change_nothing() {
    let api = with_rule(json!({ "kind": "500" })).await;
    for body in [json!({ "rules": [{ "kind": "fire" }] }), json!({ "rules": [{ "kind": "500", "probability": 0 }] })] {
        assert_eq!(api.put("/_simulator/faults", body).await.status(), 422);
    }
    assert_eq!(
        api.put("/_simulator/splits", json!({ "symbol": "A", "date": "2024-06-03", "ratio": 0 })).await.status(),
        422
    );
    assert_eq!(json_of(&api, "/_simulator/faults").await.1["rules"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn defects_and_splits_can_be_set_at_run_time() {
    let api = served(Settings::default()).await;
    let sound = json_of(&api, MICROSOFT).await.1;
    api.put("/_simulator/defects", json!({ "symbol": "MSFT", "kinds": ["float-noise"] })).await;
    assert_ne!(json_of(&api, MICROSOFT).await.1, sound);
    api.put("/_simulator/defects", json!({ "symbol": "MSFT", "kinds": [] })).await;
    assert_eq!(json_of(&api, MICROSOFT).await.1, sound);
    api.put("/_simulator/splits", json!({ "symbol": "MSFT", "date": "2026-11-18", "ratio": 0.5 })).await;
    assert_ne!(json_of(&api, MICROSOFT).await.1, sound);
}

#[tokio::test]
async fn the_log_tells_requests_without_keys() {
    let api = with_rule(json!({ "kind": "500", "symbol": "KO" })).await;
    api.get("/time_series?symbol=AAPL&interval=1day&start_date=2024-06-03&end_date=2024-06-05&apikey=topsecret").await;
    api.get("/time_series?symbol=KO,MSFT&interval=1week").await;
    let log = api.get("/_simulator/requests").await.text().await.unwrap();
    assert!(!log.contains("topsecret"));
    let log: Value = serde_json::from_str(&log).unwrap();
    let first = json!({
        "number": 1, "at": log["requests"][0]["at"], "path": "/time_series", "symbol": "AAPL", "interval": "1day",
        "start_date": "2024-06-03", "end_date": "2024-06-05", "outputsize": null, "status": 200, "credits": 1, "faults": [],
    });
    assert_eq!(log["requests"][0], first);
    let second = &log["requests"][1];
    assert_eq!((&second["credits"], &second["faults"]), (&2.into(), &json!(["500"])));
}
