//! Real answers held against TwelveData's OpenAPI document.

use candlewick_simulator::settings::Settings;
use serde_json::{Value, json};

use crate::support::{Served, served};

/// Fields that answers have and the document does not name: currency pairs' `meta` and the previous close, both
/// reported from the live API.
const UNDOCUMENTED: [&str; 3] = ["currency_base", "currency_quote", "previous_close"];

fn document() -> Value {
    serde_json::from_str(include_str!("../../openapi/twelvedata.json")).unwrap()
}

/// All ways in which a value departs from a schema: the keywords that the document uses, and no field that it lacks.
fn departures(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        return departures(document, target, value, at);
    }
    let mut found = type_departures(schema, value, at);
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(required).is_none() {
            found.push(format!("{at}: lacks {required}"));
        }
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        let schema = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        match schema {
            Some(schema) => found.extend(departures(document, schema, field, &format!("{at}.{name}"))),
            None if UNDOCUMENTED.contains(&name.as_str()) || schema_is_open(at) => {}
            None => found.push(format!("{at}: has {name}, which is not documented")),
        }
    }
    let items = value.as_array().into_iter().flatten();
    found.extend(items.flat_map(|item| departures(document, &schema["items"], item, &format!("{at}[]"))));
    found
}

/// What `/batch` wraps is documented as an object of any kind.
fn schema_is_open(at: &str) -> bool {
    at.contains("/batch.data.")
}

fn type_departures(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        other => panic!("{at}: the check does not know the type {other:?}"),
    };
    let allowed = schema["enum"].as_array().is_none_or(|values| values.contains(value));
    if fits && allowed { Vec::new() } else { vec![format!("{at}: {value} is not {schema}")] }
}

async fn check(api: &Served, method: &str, url: &str, status: u16) {
    let document = document();
    let path = url.split('?').next().unwrap();
    let response = if method == "post" { api.post(path, batch()).await } else { api.get(url).await };
    assert_eq!(response.status().as_u16(), status, "{url}");
    let answer: Value = response.json().await.unwrap();
    let responses = &document["paths"][path][method]["responses"];
    let schema = &responses[status.to_string()]["content"]["application/json"]["schema"];
    assert_eq!(departures(&document, schema, &answer, path), Vec::<String>::new(), "{url}");
}

fn batch() -> Value {
    json!({
        "first": { "url": "/time_series?symbol=AAPL&interval=1min&apikey=demo&outputsize=2" },
        "second": { "url": "/time_series?symbol=NOSUCH&interval=1min" },
    })
}

#[tokio::test]
async fn every_path_answers_as_documented() {
    let api = served(Settings::default()).await;
    for url in [
        "/time_series?symbol=AAPL&interval=1min",
        "/time_series?symbol=AAPL&interval=1week&previous_close=true",
        "/time_series?symbol=EUR/USD&interval=1day",
        "/time_series?symbol=BTC/USD&interval=4h",
        "/time_series?symbol=SPX&interval=1month",
        "/earliest_timestamp?symbol=AAPL&interval=1day",
        "/api_usage",
        "/exchanges",
        "/stocks",
        "/stocks?symbol=AAPL",
        "/market_state",
        "/market_state?exchange=NYSE",
    ] {
        check(&api, "get", url, 200).await;
    }
    check(&api, "post", "/batch", 200).await;
}

#[tokio::test]
async fn a_daily_limit_is_told_as_documented() {
    let api = served(Settings { plan: "free".parse().unwrap(), ..Settings::default() }).await;
    check(&api, "get", "/api_usage", 200).await;
}

#[tokio::test]
async fn every_documented_error_has_its_shape() {
    let api = served(Settings { key: Some("key".into()), ..Settings::default() }).await;
    let many =
        vec!["A"; 200].iter().enumerate().map(|(number, a)| format!("{a}{number}")).collect::<Vec<_>>().join(",");
    check(&api, "get", "/time_series?symbol=AAPL&interval=0.99min", 400).await;
    check(&api, "get", "/time_series?symbol=GROW&interval=1day", 403).await;
    check(&api, "get", "/time_series?symbol=NOSUCH&interval=1day", 404).await;
    check(&api, "get", &format!("/time_series?symbol={many}&interval=1day"), 414).await;
    for (kind, status) in [("429-minute", 429), ("500", 500)] {
        api.put("/_simulator/faults", json!({ "rules": [{ "kind": kind }] })).await;
        check(&api, "get", "/time_series?symbol=AAPL&interval=1day", status).await;
    }
    let api = served(Settings { key: Some("another".into()), ..Settings::default() }).await;
    check(&api, "get", "/time_series?symbol=AAPL&interval=1day", 401).await;
}

#[tokio::test]
async fn a_batch_wraps_each_answer_under_its_id() {
    let api = served(Settings::default()).await;
    let answer: Value = api.post("/batch", batch()).await.json().await.unwrap();
    assert_eq!((&answer["code"], &answer["status"]), (&200.into(), &"success".into()));
    let first = &answer["data"]["first"];
    assert_eq!((&first["status"], &first["response"]["status"]), (&"success".into(), &"ok".into()));
    let second = &answer["data"]["second"];
    assert_eq!((&second["status"], &second["response"]["code"]), (&"error".into(), &404.into()));
}

#[tokio::test]
async fn a_batch_is_answered_as_far_as_credits_go() {
    let api = served(Settings { plan: "free".parse().unwrap(), ..Settings::default() }).await;
    let item = |number: usize| (format!("id{number}"), json!({ "url": "/time_series?symbol=AAPL&interval=1day" }));
    let body: serde_json::Map<_, _> = (0..10).map(item).collect();
    let answer: Value = api.post("/batch", body.into()).await.json().await.unwrap();
    let served = answer["data"].as_object().unwrap().values().filter(|answer| answer["status"] == "success").count();
    assert_eq!(served, 8);
}

#[tokio::test]
async fn an_open_exchange_tells_how_long_it_has_been_and_will_be_open() {
    let api = served(Settings::default()).await;
    let states: Value = api.get("/market_state?code=XNYS").await.json().await.unwrap();
    let times = |state: &Value| ["time_after_open", "time_to_open", "time_to_close"].map(|name| state[name].clone());
    assert_eq!((&states[0]["code"], &states[0]["is_market_open"]), (&"XNYS".into(), &true.into()));
    assert_eq!(times(&states[0]), ["02:30:00", "00:00:00", "04:00:00"]);
    let india: Value = api.get("/market_state?country=IN").await.json().await.unwrap();
    assert_eq!(times(&india[0]), ["00:00:00", "10:45:00", "00:00:00"]);
}

#[test]
fn the_check_sees_departures() {
    let document = document();
    let schema = &document["paths"]["/time_series"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    let answer =
        json!({ "meta": { "symbol": "A", "interval": "1day", "type": 1 }, "values": [{ "x": "1" }], "status": "ok" });
    let found = departures(&document, schema, &answer, "");
    assert_eq!(found.len(), 7, "a number for a string, five fields missing, one too many: {found:?}");
}
