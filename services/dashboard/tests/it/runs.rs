//! Runs: who may request one, that a request is made once, and answers that wait.

use std::net::SocketAddr;
use std::sync::Arc;

use candlewick_dashboard::app::App;
use candlewick_dashboard::auth::Secrets;
use candlewick_dashboard::config::Guard;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::postgres_runs::PostgresRuns;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::ports::runs::Runs;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use libtest_mimic::Trial;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{World, header, open_guard};

pub fn trials() -> Vec<Trial> {
    trials![
        nobody_requests_a_run_without_the_write_token,
        an_unknown_address_is_not_that_of_a_run,
        the_write_token_reads_and_the_read_token_does_not_write,
        a_wrong_write_token_is_tried_only_so_often,
        the_same_id_is_one_run_whatever_the_number_of_requests,
        an_id_is_not_given_to_other_series,
        a_request_that_fails_between_its_steps_is_repeated,
        what_is_no_request_is_refused_with_its_reason,
        what_the_watchlist_lacks_is_not_requested,
        the_dashboard_writes_nothing_else,
        an_answer_about_a_run_waits_for_its_end,
        an_answer_about_a_series_waits_for_as_long_as_it_is_to,
        a_run_that_is_not_laid_out_is_not_complete,
        the_series_of_a_run_say_what_became_of_each,
        a_wait_outlasts_the_time_that_other_answers_may_take
    ]
}

const WRITE_TOKEN: &str = "may-request-runs";

fn guard() -> Guard {
    Guard { write_token: Some(WRITE_TOKEN.into()), ..open_guard() }
}

async fn post(address: SocketAddr, token: Option<&str>, body: impl Into<reqwest::Body>) -> Response {
    let request = Client::new().post(format!("http://{address}/api/v1/runs")).body(body);
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    request.send().await.unwrap()
}

/// Requests a run that must be accepted, and returns it with its location.
async fn requested(address: SocketAddr, body: Value) -> (String, Value) {
    let response = post(address, Some(WRITE_TOKEN), body.to_string()).await;
    let status = response.status();
    let location = header(&response, "location");
    let text = response.text().await.unwrap();
    assert_eq!(status, 202, "{text}");
    (location, serde_json::from_str(&text).unwrap())
}

/// The status and the detail of a problem.
async fn problem(response: Response) -> (u16, String) {
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    let status = response.status().as_u16();
    let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    (status, problem["detail"].as_str().unwrap().to_owned())
}

async fn nobody_requests_a_run_without_the_write_token(world: World) {
    let (status, detail) = problem(post(world.address, None, "").await).await;
    assert!(status == 403 && detail.contains("DASHBOARD_WRITE_TOKEN"), "{status} {detail}");
    let (status, _) = problem(post(world.address, Some(WRITE_TOKEN), "").await).await;
    assert_eq!(status, 403, "no token is no token that everybody knows");
    let address = world.serve(world.app(), guard()).await;
    for token in [None, Some("may-request-run"), Some("")] {
        let response = post(address, token, "").await;
        assert!(header(&response, "www-authenticate").starts_with("Bearer"), "{token:?}");
        assert_eq!(problem(response).await.0, 401, "{token:?}");
    }
    assert!(world.ingest.bodies().is_empty());
    requested(address, json!({})).await;
    assert_eq!(world.ingest.bodies().len(), 1);
}

async fn an_unknown_address_is_not_that_of_a_run(world: World) {
    for address in [world.address, world.serve(world.app(), guard()).await] {
        let (status, detail) = problem(world.ask(address, "/api/v1/nothing", &[]).await).await;
        assert!(status == 404 && !detail.contains("WRITE_TOKEN"), "{status} {detail}");
    }
}

async fn the_write_token_reads_and_the_read_token_does_not_write(world: World) {
    let secrets =
        Secrets::new(Some("reads".into()), None).map(|secrets| secrets.with_writers(Some(WRITE_TOKEN.into())));
    let address = world.serve(world.app(), Guard { secrets, ..guard() }).await;
    assert_eq!(problem(post(address, Some("reads"), "").await).await.0, 401);
    let (location, _) = requested(address, json!({"id": "a:b+c"})).await;
    assert_eq!(location, "/api/v1/runs/a%3Ab%2Bc");
    for token in ["reads", WRITE_TOKEN] {
        let read = world.ask(address, &location, &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(read.status(), 200, "{token}");
    }
    assert_eq!(world.ask(address, &location, &[]).await.status(), 401);
}

async fn a_wrong_write_token_is_tried_only_so_often(world: World) {
    let address = world.serve(world.app(), guard()).await;
    for _ in 0..20 {
        post(address, Some("a guess"), "").await;
    }
    let (status, detail) = problem(post(address, Some(WRITE_TOKEN), "").await).await;
    assert!(status == 429 && detail.contains("too many wrong logins"), "{status} {detail}");
}

async fn the_same_id_is_one_run_whatever_the_number_of_requests(world: World) {
    let address = world.serve(world.app(), guard()).await;
    let body = json!({"id": "daily", "symbols": ["MSFT", "AAPL", "AAPL"], "intervals": ["1day"], "reason": "by hand"});
    let (location, run) = requested(address, body).await;
    assert_eq!(
        (location.as_str(), &run["id"], &run["state"]),
        ("/api/v1/runs/daily", &json!("daily"), &json!("waiting"))
    );
    assert_eq!((&run["reason"], &run["kind"]), (&json!("by hand"), &json!("manual")));
    let again = json!({"id": "daily", "symbols": ["AAPL", "MSFT"], "intervals": ["1day"]});
    requested(address, again.clone()).await;
    let messages: Vec<IngestMessage> =
        world.ingest.bodies().iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let IngestMessage::Refresh(first) = &messages[0] else { panic!("no refresh: {messages:?}") };
    assert!(messages[0] == messages[1] && first.symbols.len() == 2 && first.intervals.len() == 1, "{messages:?}");
    let runs = PostgresRuns::new(world.owner.clone());
    let now = "2024-12-31T12:00:00Z".parse().unwrap();
    assert!(runs.begin(&first.run("1", now), "1", now).await.unwrap());
    assert!(!runs.begin(&first.run("2", now), "2", now).await.unwrap(), "the second message fetched it again");
    requested(address, again).await;
    assert_eq!(world.ingest.bodies().len(), 2, "the run was begun, and another message was sent");
    assert_eq!(world.json("/api/v1/runs").await.as_array().unwrap().len(), 1);
}

async fn an_id_is_not_given_to_other_series(world: World) {
    let address = world.serve(world.app(), guard()).await;
    requested(address, json!({"id": "daily", "symbols": ["AAPL"]})).await;
    for other in [json!({"id": "daily"}), json!({"id": "daily", "symbols": ["AAPL"], "intervals": ["1h"]})] {
        let (status, detail) = problem(post(address, Some(WRITE_TOKEN), other.to_string()).await).await;
        assert!(status == 409 && detail.contains("daily"), "{status} {detail}");
    }
    assert_eq!(world.ingest.bodies().len(), 1);
    world
        .run("insert into runs (id, kind, requested_at, is_whole) values ('by-schedule', 'scheduled', now(), true)")
        .await;
    requested(address, json!({"id": "by-schedule", "symbols": ["AAPL"]})).await;
}

async fn a_request_that_fails_between_its_steps_is_repeated(world: World) {
    let address = world.serve(world.app(), guard()).await;
    world.ingest.set_fault(Some("no queue"));
    let (status, detail) = problem(post(address, Some(WRITE_TOKEN), r#"{"id": "daily"}"#).await).await;
    assert!(status == 503 && detail.contains("daily") && detail.contains("same id"), "{status} {detail}");
    world.ingest.set_fault(None);
    requested(address, json!({"id": "daily"})).await;
    assert_eq!(world.ingest.bodies().len(), 1);
    let without = world.serve(App { ingest: None, ..world.app() }, guard()).await;
    let (status, detail) = problem(post(without, Some(WRITE_TOKEN), "").await).await;
    assert!(status == 503 && detail.contains("INGEST_QUEUE_URL"), "{status} {detail}");
}

async fn what_is_no_request_is_refused_with_its_reason(world: World) {
    let address = world.serve(world.app(), guard()).await;
    let many: Vec<_> = (0..1_001).map(|at| format!("S{at}")).collect();
    for (body, reason) in [
        ("[".to_owned(), "line 1"),
        ("null".to_owned(), "invalid type"),
        (json!({"symbol": ["AAPL"]}).to_string(), "unknown field"),
        (json!({"id": "a b"}).to_string(), "is not a run id"),
        (json!({"id": ""}).to_string(), "is not a run id"),
        (json!({"symbols": ["A B"]}).to_string(), "A B"),
        (json!({"intervals": ["7min"]}).to_string(), "7min"),
        (json!({"reason": "a\nb"}).to_string(), "reason"),
        (json!({"reason": "\u{0}"}).to_string(), "reason"),
        (json!({"reason": "x".repeat(501)}).to_string(), "reason"),
        (json!({ "symbols": many }).to_string(), "1000 symbols"),
    ] {
        let (status, detail) = problem(post(address, Some(WRITE_TOKEN), body.clone()).await).await;
        assert!(status == 400 && detail.contains(reason), "{body}: {status} {detail}");
    }
    assert_eq!(post(address, Some(WRITE_TOKEN), "x".repeat(70_000)).await.status(), 413);
    assert_eq!(status_of_chunks(address, 20).await, "413", "a body without a length is cut off while it is read");
    assert!(world.ingest.bodies().is_empty());
}

/// The status of a request whose body comes in chunks of 10,000 spaces.
async fn status_of_chunks(address: SocketAddr, chunks: usize) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/runs HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {WRITE_TOKEN}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let body = format!("{:x}\r\n{}\r\n", 10_000, " ".repeat(10_000)).repeat(chunks);
    // The answer may come before the body is taken whole.
    let _ = connection.write_all(format!("{head}{body}0\r\n\r\n").as_bytes()).await;
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

async fn what_the_watchlist_lacks_is_not_requested(world: World) {
    let location = "s3://b/config/watchlist.toml".parse().unwrap();
    let source = WatchlistSource::new(location, |_| Arc::clone(&world.store), Arc::new(LogNotifier));
    let address = world.serve(App { watchlist: Some(Arc::new(source)), ..world.app() }, guard()).await;
    let (status, _) = problem(post(address, Some(WRITE_TOKEN), "").await).await;
    assert_eq!(status, 503, "there is no watchlist");
    world.put("config/watchlist.toml", "[groups.a]\nsymbols = [\"AAPL\"]\nintervals = [\"1day\"]\n").await;
    for (body, reason) in [
        (json!({"symbols": ["AAPL", "MSFT"]}), "MSFT is not on the watchlist"),
        (json!({"intervals": ["1h"]}), "no series of the watchlist"),
    ] {
        let (status, detail) = problem(post(address, Some(WRITE_TOKEN), body.to_string()).await).await;
        assert!(status == 400 && detail.contains(reason), "{status} {detail}");
    }
    requested(address, json!({"id": "daily", "symbols": ["AAPL"]})).await;
    world.put("config/watchlist.toml", "[groups.a]\nsymbols = [\"MSFT\"]\n").await;
    requested(address, json!({"id": "daily", "symbols": ["AAPL"]})).await;
}

async fn the_dashboard_writes_nothing_else(world: World) {
    for sql in [
        "insert into runs (id, kind, requested_at, is_whole) values ('x', 'manual', now(), true)",
        "update runs set error = 'x'",
        "delete from runs",
        "select run_begin('x', 'manual', now(), true, 'x', now())",
        "select series_failed(null, 'AAPL', '1day', 'x')",
    ] {
        world.run("insert into runs (id, kind, requested_at, is_whole) values ('r', 'manual', now(), true) on conflict do nothing").await;
        let mut transaction = world.pool.begin_with("begin read write").await.unwrap();
        let error = sqlx::query(sql).execute(&mut *transaction).await.unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{sql}: {error}");
    }
}

/// Begins a run of these symbols, as ingest does.
async fn begin(world: &World, run: &str, symbols: &[&str]) {
    let intervals = vec!["1day"; symbols.len()];
    let mut owner = world.owner.acquire().await.unwrap();
    sqlx::query("select run_begin($1, 'manual', now(), true, $1, now())").bind(run).execute(&mut *owner).await.unwrap();
    let expects = sqlx::query("select run_expects($1, $2, $3)").bind(run).bind(symbols).bind(intervals);
    expects.execute(&mut *owner).await.unwrap();
    sqlx::query("select run_page_done($1, 0, true)").bind(run).execute(&mut *owner).await.unwrap();
}

fn key(symbol: &str) -> String {
    format!("transformed/interval=1day/symbol={symbol}/candles.csv")
}

async fn fetched(world: &World, run: &str, symbol: &str) {
    let sql = "select series_fetched($1, $2, '1day', array[$3], array[now()])";
    sqlx::query(sql).bind(run).bind(symbol).bind(key(symbol)).execute(&world.owner).await.unwrap();
}

async fn failed(world: &World, run: &str, symbol: &str) {
    let sql = "select series_failed($1, $2, '1day', 'no_candles: it is empty')";
    sqlx::query(sql).bind(run).bind(symbol).execute(&world.owner).await.unwrap();
}

async fn loaded(world: &World, run: &str, symbol: &str) {
    world.load(symbol, "2024-12-01", &["1", "2"]).await;
    let changed = "update objects set run = $1, etag = 'e2', rows_inserted = 2, rows_updated = 1, rows_removed = 3,
        first_time = '2024-12-01', last_time = '2024-12-02', loaded_at = now() where symbol = $2";
    sqlx::query(changed).bind(run).bind(symbol).execute(&world.owner).await.unwrap();
    let sql = "select series_loaded($1, $2, '1day', $3, now())";
    sqlx::query(sql).bind(run).bind(symbol).bind(key(symbol)).execute(&world.owner).await.unwrap();
}

async fn an_answer_about_a_run_waits_for_its_end(world: World) {
    begin(&world, "r", &["AAPL"]).await;
    assert_eq!(world.json("/api/v1/runs/r").await["state"], "running");
    assert_eq!(world.json("/api/v1/runs/r?wait=10ms").await["state"], "running");
    let finish = async {
        fetched(&world, "r", "AAPL").await;
        loaded(&world, "r", "AAPL").await;
    };
    let (ended, ()) = tokio::join!(world.json("/api/v1/runs/r?wait=55s"), finish);
    assert_eq!((&ended["state"], &ended["loaded"]), (&json!("ended"), &json!(1)));
    for (path, status) in [("never", 404), ("r?wait=1h", 400), ("r?wait=30", 400), ("a%00b", 400), ("r?more=1", 400)] {
        let (found, _) = problem(world.get(&format!("/api/v1/runs/{path}")).await).await;
        assert_eq!(found, status, "{path}");
    }
}

async fn an_answer_about_a_series_waits_for_as_long_as_it_is_to(world: World) {
    begin(&world, "r", &["AAPL", "MSFT"]).await;
    let until =
        async |stage: &str| world.json(&format!("/api/v1/runs/r/series?symbol=AAPL&wait=55s&until={stage}")).await;
    let (extracted, ()) = tokio::join!(until("fetched"), fetched(&world, "r", "AAPL"));
    assert_eq!((&extracted["rows"][0]["state"], &extracted["complete"]), (&json!("fetched"), &json!(true)));
    assert_eq!(world.json("/api/v1/runs/r/series?symbol=AAPL").await["complete"], false);
    let (stored, ()) = tokio::join!(until("loaded"), loaded(&world, "r", "AAPL"));
    assert_eq!((&stored["rows"][0]["state"], stored["rows"].as_array().unwrap().len()), (&json!("loaded"), 1));
    assert_eq!(world.json("/api/v1/runs/r").await["state"], "running", "the other one is not settled");
    let (both, ()) = tokio::join!(world.json("/api/v1/runs/r/series?wait=55s"), failed(&world, "r", "MSFT"));
    assert_eq!(both["rows"][1]["state"], "failed");
}

async fn a_run_that_is_not_laid_out_is_not_complete(world: World) {
    world.run("select run_begin('r', 'manual', now(), true, 'm', now())").await;
    world.run("select run_expects('r', array['AAPL'], array['1day'])").await;
    failed(&world, "r", "AAPL").await;
    let page = world.json("/api/v1/runs/r/series?symbol=AAPL&wait=100ms").await;
    assert_eq!((&page["complete"], &page["rows"][0]["state"]), (&json!(false), &json!("failed")));
    world.run("select run_page_done('r', 0, true)").await;
    assert_eq!(world.json("/api/v1/runs/r/series?symbol=AAPL&wait=55s").await["complete"], true);
}

async fn the_series_of_a_run_say_what_became_of_each(world: World) {
    let run = "r";
    begin(&world, run, &["AAPL", "BTC", "EUR", "MSFT", "XAU"]).await;
    for symbol in ["BTC", "EUR", "MSFT"] {
        fetched(&world, run, symbol).await;
    }
    loaded(&world, run, "BTC").await;
    failed(&world, run, "XAU").await;
    let written = "2024-12-30T22:00:00Z".parse().unwrap();
    let metadata = |run: &str| TransformedMetadata {
        run: Some(run.to_owned()),
        ..TransformedMetadata::of("raw/x".to_owned(), "e".to_owned(), written)
    };
    for (symbol, of_run) in [("EUR", run), ("MSFT", "an earlier one")] {
        let object = NewObject::csv("x".into(), metadata(of_run).write());
        world.store.put(&key(symbol), object, PutIf::Always).await.unwrap();
    }
    let page = world.json("/api/v1/runs/r/series").await;
    let states = |page: &Value| -> Vec<_> {
        page["rows"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(&page), ["expected", "loaded", "transformed", "fetched", "failed"]);
    let btc = &page["rows"][1];
    let counts = ["rows_new", "rows_changed", "rows_removed"].map(|name| btc[name].as_i64().unwrap());
    assert_eq!((counts, &btc["first"], &btc["last"]), ([2, 1, 3], &json!("2024-12-01"), &json!("2024-12-02")));
    assert_eq!((&btc["key"], &btc["etag"]), (&json!(key("BTC")), &json!("e2")));
    let xau = &page["rows"][4];
    assert_eq!((&xau["reason"], &xau["next"]), (&json!("no_candles: it is empty"), &json!("candlewick refresh XAU")));
    let second = world.json("/api/v1/runs/r/series?limit=2&after=2").await;
    assert_eq!((states(&second).len(), &second["next"]), (2, &json!(4)));
    let of_one = world.json("/api/v1/runs/r/series?symbol=EUR&interval=1day&until=transformed&wait=55s").await;
    assert_eq!(states(&of_one), ["transformed"], "the answer was held back");
}

async fn a_wait_outlasts_the_time_that_other_answers_may_take(world: World) {
    begin(&world, "r", &["AAPL"]).await;
    let patience = std::time::Duration::from_millis(100);
    let hasty = world.serve(world.app(), Guard { patience, ..open_guard() }).await;
    let answer = world.ask(hasty, "/api/v1/runs/r?wait=400ms", &[]).await;
    assert_eq!(answer.status(), 200);
}
