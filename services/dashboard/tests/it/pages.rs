//! Pages, and especially that the data they show cannot inject markup.

use candlewick_dashboard::read::queues::ShownLetter;
use candlewick_shared::reads::dead_letters::LetterSummary;
use libtest_mimic::Trial;

use crate::support::{SCRIPT, World, header};

pub fn trials() -> Vec<Trial> {
    trials![
        every_value_is_escaped_on_every_page,
        a_store_with_nothing_in_it_has_pages,
        a_page_that_is_not_there_is_a_page,
        queues_that_do_not_answer_leave_the_rest,
        a_symbol_leads_to_its_days,
        the_first_page_says_whether_all_is_well,
        the_watchlist_is_filtered_and_sorted_by_its_address,
        the_first_page_has_the_credits_of_today,
        rows_and_summary_are_parts_of_the_page,
        every_load_is_in_the_history_of_changes,
        a_load_shows_the_candles_that_it_changed,
        the_heatmap_has_one_calendar_for_all_rows,
        the_times_of_a_dropped_file_are_those_of_its_exchange,
        ten_thousand_series_are_listed_by_pages,
        the_api_is_shown_as_the_document_has_it
    ]
}

async fn every_value_is_escaped_on_every_page(world: World) {
    let id = world.load(SCRIPT, "2024-12-30", &["1", "2"]).await;
    let sql = "update objects set error = $1, run = $1, trace_id = $1, raw_key = $1 where id = $2";
    sqlx::query(sql).bind(SCRIPT).bind(id).execute(&world.owner).await.unwrap();
    let alert = "insert into alerts (kind, stage, subject, state, text, raised_at, last_at, occurrences, changed_at)
        values ($1, $1, $1, 'firing', $1, now(), now(), 1, now())";
    sqlx::query(alert).bind(SCRIPT).execute(&world.owner).await.unwrap();
    let letter = LetterSummary {
        queue: SCRIPT.to_owned(),
        id: SCRIPT.to_owned(),
        stage: SCRIPT.to_owned(),
        class: SCRIPT.to_owned(),
        reason: SCRIPT.to_owned(),
        trace_id: Some(SCRIPT.to_owned()),
        ..LetterSummary::default()
    };
    let letter = ShownLetter { letter, body: SCRIPT.to_owned(), redrive: SCRIPT.to_owned() };
    *world.queues.letters.lock().unwrap() = Some(vec![letter]);
    let in_path = "%3Cscript%3Ealert%281%29%3C%2Fscript%3E";
    let series = format!("/symbol/{in_path}/1day");
    let lineage = format!("/lineage/{in_path}/1day?time=2024-12-30");
    for path in ["/", "/pipeline", "/quality", &format!("/quality/{id}"), &series, &lineage] {
        let page = world.page(path).await;
        assert!(!page.contains("<script>alert"), "{path}");
        assert!(page.contains("script&#62;") || page.contains("script&gt;"), "{path} does not show it at all");
        assert!(!page.contains(" style=") && !page.contains(" onclick=") && !page.contains("javascript:"), "{path}");
    }
}

async fn a_store_with_nothing_in_it_has_pages(world: World) {
    for (path, words) in
        [("/", "Nothing here yet"), ("/pipeline", "None yet"), ("/quality", "Nothing has been loaded yet")]
    {
        assert!(world.page(path).await.contains(words), "{path}");
    }
}

async fn a_page_that_is_not_there_is_a_page(world: World) {
    for path in ["/nothing", "/symbol/NONE/1day", "/symbol/NONE", "/lineage/A/1day?time=x", "/quality/9", "/quality/x"]
    {
        let answer = world.get_with(path, &[("accept", "text/html")]).await;
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
        assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8", "{path}");
        assert!(answer.text().await.unwrap().contains("To the watchlist"), "{path}");
    }
}

async fn queues_that_do_not_answer_leave_the_rest(world: World) {
    world.run("insert into runs (id, kind, requested_at, is_whole) values ('run-1', 'manual', now(), true)").await;
    world.run("insert into run_series (run, symbol, interval, state) values ('run-1', 'A', '1day', 'failed'), ('run-1', 'B', '1day', 'expected')").await;
    let page = world.page("/pipeline").await;
    assert!(page.contains("the queues do not answer (no credentials)") && page.contains("run-1"), "{page}");
    assert!(page.contains("1 of 2 series settled") && page.contains("running"), "{page}");
    assert_eq!(world.get("/api/v1/dead-letters").await.status(), 503);
}

async fn a_symbol_leads_to_its_days(world: World) {
    world.load("BTC/USD", "2024-12-30", &["1"]).await;
    let page = world.page("/symbol/BTC%2FUSD").await;
    assert!(page.contains("data-folder=\"/api/v1/series/BTC%2FUSD\""), "{page}");
}

async fn the_api_is_shown_as_the_document_has_it(world: World) {
    let document = world.json("/api/openapi.json").await;
    let page = world.page("/api").await;
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 16 && document["openapi"].as_str().unwrap().starts_with("3."));
    let operations = paths.iter().flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |of| (path, of)));
    for (path, (method, operation)) in operations {
        let summary = operation["summary"].as_str().unwrap();
        assert!(page.contains(path.as_str()) && page.contains(&summary.replace('\'', "&#39;")), "{path}");
        assert!(page.contains(&format!("<b>{}</b>", method.to_uppercase())), "{path}");
    }
    let request = &paths["/api/v1/runs"]["post"];
    assert_eq!(
        request["requestBody"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/RunRequest"
    );
    let statuses: Vec<_> = request["responses"].as_object().unwrap().keys().map(String::as_str).collect();
    for status in ["202", "400", "401", "403", "409", "413", "503"] {
        assert!(statuses.contains(&status), "{status} is not among {statuses:?}");
    }
}

async fn the_first_page_says_whether_all_is_well(world: World) {
    world.load("AAPL", "2024-12-30", &["1"]).await;
    *world.queues.letters.lock().unwrap() = Some(Vec::new());
    let alert = "insert into alerts (kind, stage, subject, symbol, interval, state, text, raised_at, last_at, occurrences, changed_at)
        values ('stale_series', 'notifier', 'AAPL 1day', 'AAPL', '1day', $1, 'it is late', now(), now(), $2, now())
        on conflict (kind, stage, class, subject) do update set state = excluded.state, occurrences = excluded.occurrences";
    sqlx::query(alert).bind("resolved").bind(0_i64).execute(&world.owner).await.unwrap();
    let page = world.page("/").await;
    assert!(page.contains("all is well") && !page.contains("it is late"), "{page}");
    sqlx::query(alert).bind("firing").bind(2_i64).execute(&world.owner).await.unwrap();
    let page = world.page("/").await;
    assert!(page.contains("needs attention") && page.contains("<code>candlewick refresh AAPL</code>"), "{page}");
    assert!(page.contains("href=\"/symbol/AAPL/1day\">AAPL 1day</a>"), "{page}");
    let health = world.json("/api/v1/health").await;
    assert_eq!(
        (&health["counts"]["series"], &health["alerts"][0]["next"]),
        (&1.into(), &"candlewick refresh AAPL".into())
    );
    assert_eq!((&health["dead_letters"], &health["changed"]["series"]), (&0.into(), &0.into()));
}

async fn the_watchlist_is_filtered_and_sorted_by_its_address(world: World) {
    for (symbol, close) in [("LOW", "1"), ("HIGH", "30"), ("MIDDLE", "7")] {
        world.load(symbol, "2024-12-30", &[close]).await;
    }
    world.run("update objects set error = 'torn' where symbol = 'LOW'").await;
    let order = async |query: &str| {
        let page = world.page(&format!("/?{query}")).await;
        let rows = page.split("data-search=\"").skip(1).map(|row| row.split(' ').next().unwrap().to_owned());
        rows.collect::<Vec<_>>()
    };
    assert_eq!(order("").await, ["HIGH", "LOW", "MIDDLE"]);
    assert_eq!(order("sort=-close").await, ["HIGH", "MIDDLE", "LOW"]);
    assert_eq!(order("only=failed").await, ["LOW"]);
    assert_eq!(order("search=l&sort=close").await, ["LOW", "MIDDLE"]);
    assert!(order("search=none").await.is_empty());
    assert_eq!(world.get("/?sort=colour").await.status(), 400);
    assert!(world.page("/?only=failed").await.contains("href=\"/\" aria-current=\"true\""), "the chip leads back");
}

/// The dashboard's clock is at noon of 2024-12-31.
async fn the_first_page_has_the_credits_of_today(world: World) {
    assert_eq!(world.json("/api/v1/health").await["credits"], serde_json::Value::Null);
    world.run("insert into credits values ('2024-12-30', 700, 800, 8)").await;
    let yesterday = world.json("/api/v1/health").await["credits"].clone();
    assert_eq!((&yesterday["used"], &yesterday["left"]), (&0.into(), &800.into()), "nobody has spent any today");
    world.run("insert into credits values ('2024-12-31', 790, 800, 8), ('2025-01-01', 1, 800, 8)").await;
    world
        .run("insert into runs (id, kind, requested_at, is_whole) values ('run-1', 'manual', '2024-12-31', true)")
        .await;
    world.run("insert into run_series (run, symbol, interval, state) select 'run-1', 'S' || n, '1day', 'expected' from generate_series(1, 19) n").await;
    let credits = world.json("/api/v1/health").await["credits"].clone();
    let expected = serde_json::json!({"used": 790, "left": 10, "per_minute": 8, "fetched_by": "2025-01-01T00:01:00Z"});
    assert_eq!(credits, expected);
    let page = world.page("/").await;
    assert!(
        page.contains("<b>790</b> credits used today, <b>10</b> left; fetched by 2025-01-01 00:01:00 UTC"),
        "{page}"
    );
}

async fn rows_and_summary_are_parts_of_the_page(world: World) {
    for (symbol, close) in [("AAPL", "1"), ("BTC/USD", "30"), ("MSFT", "7")] {
        world.load(symbol, "2024-12-30", &[close]).await;
    }
    let page = world.page("/").await;
    let rows = world.page("/parts/rows?series=BTC/USD%201day,AAPL%201day,NONE%201day").await;
    assert_eq!(rows.matches("<tr data-search").count(), 2);
    let row = rows.split("<tr data-search=\"BTC/USD 1day\">").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(page.contains(row), "{row}");
    let summary = world.page("/parts/summary?search=x&only=late").await;
    assert!(summary.contains("needs attention") && !summary.contains("<tr") && !summary.contains("<main"), "{summary}");
    for wrong in ["", "?series=", "?series=AAPL", "?series=A%201day&more=1"] {
        assert_eq!(world.get(&format!("/parts/rows{wrong}")).await.status(), 400, "{wrong}");
    }
    let many = vec!["A%201day"; 201].join(",");
    assert_eq!(world.get(&format!("/parts/rows?series={many}")).await.status(), 200, "each is counted once");
}

async fn every_load_is_in_the_history_of_changes(world: World) {
    let id = world.load("AAPL", "2024-12-30", &["1"]).await;
    let changed = "update objects set loaded_at = loaded_at + interval '1 minute', rows_inserted = 1, rows_updated = 2, rows_removed = 3
        where id = $1";
    sqlx::query(changed).bind(id).execute(&world.owner).await.unwrap();
    world.run("update objects set loaded_at = loaded_at + interval '1 minute', rows_inserted = 0, rows_updated = 0, rows_removed = 0").await;
    world.run("update objects set error = 'torn'").await;
    let changes = world.json("/api/v1/changes?symbol=AAPL").await;
    let counts = ["rows_inserted", "rows_updated", "rows_removed"].map(|name| changes["rows"][0][name].clone());
    assert_eq!((changes["rows"].as_array().unwrap().len(), counts), (1, [1, 2, 3].map(Into::into)));
    let all = world.json("/api/v1/changes?symbol=AAPL&all=true").await;
    assert_eq!(all["rows"].as_array().unwrap().len(), 3);
    assert_eq!(world.json("/api/v1/changes?symbol=MSFT").await["rows"], serde_json::json!([]));
    assert!(world.page("/changes").await.contains("href=\"/symbol/AAPL/1day\""));
    // A form sends its empty fields too, and the next page has the same selection.
    let page = world.page("/changes?symbol=&since=2024-12-01&all=true&limit=1").await;
    let next = page.split("href=\"/changes?").find(|link| link.contains("after=")).unwrap();
    assert!(next.starts_with("since=2024-12-01") && !next.starts_with("symbol="), "{next}");
}

/// A load changes a candle and removes another, and a later one adds that again and changes the first once more.
async fn a_load_shows_the_candles_that_it_changed(world: World) {
    world.load("AAPL", "2024-12-30", &["1", "2", "3"]).await;
    world.run(CHANGES).await;
    let list = world.json("/api/v1/changes?symbol=AAPL&all=true").await;
    let [later, first] = [0, 1].map(|at| list["rows"][at]["id"].as_i64().unwrap());
    let load = world.json(&format!("/api/v1/changes/{first}")).await;
    let seen = |load: &serde_json::Value| {
        let rows = load["changed"]["rows"].as_array().unwrap();
        rows.iter().map(|row| format!("{}: {} {}", row["time"], row["close_before"], row["close"])).collect::<Vec<_>>()
    };
    assert_eq!(seen(&load).len(), 2, "{load}");
    assert!(seen(&load)[0].ends_with(": \"1\" \"7\"") && seen(&load)[1].ends_with(": \"2\" null"), "{load}");
    let load = world.json(&format!("/api/v1/changes/{later}")).await;
    assert!(seen(&load)[0].ends_with(": \"7\" \"8\""), "{load}");
    assert_eq!(load["added"].as_array().unwrap().len(), 1, "{load}");
    let page = world.page(&format!("/changes/{first}")).await;
    assert!(page.contains("1 → 7") && page.contains("removed"), "{page}");
    assert!(world.page("/changes").await.contains(&format!("href=\"/changes/{first}\"")));
    assert!(world.page(&format!("/changes/{first}?limit=1")).await.contains(&format!("/changes/{first}?after=1")));
    for (path, status) in [("/changes/999", 404), ("/changes/x", 400), ("/changes/1?limit=0", 400)] {
        assert_eq!(world.get(path).await.status(), status, "{path}");
    }
}

/// Two loads, each in a transaction of its own.
const CHANGES: &str = "begin;
    update candles set close = 7 where time = (select min(time) from candles);
    delete from candles where close = 2;
    update objects set loaded_at = loaded_at + interval '1 minute', rows_updated = 1, rows_removed = 1;
    commit;
    begin;
    update candles set close = 8 where close = 7;
    insert into late_candles select current_load(), time + interval '1 day', time + interval '1 day' from candles
        where close = 8;
    insert into candles select symbol, interval, time + interval '1 day', open, high, low, 5, volume, is_filled, object_id
        from candles where close = 8;
    update objects set loaded_at = loaded_at + interval '1 minute', rows_updated = 1, rows_inserted = 1, rows_removed = 0;
    commit;";

/// Stocks have no weekend sessions but the other market does: both rows have a cell for each date.
async fn the_heatmap_has_one_calendar_for_all_rows(world: World) {
    for (symbol, calendar) in [("AAPL", "XNYS"), ("BTC/USD", "24/7")] {
        let id = world.load(symbol, "2024-12-20", &["1", "2", "3"]).await;
        let report = serde_json::json!({"calendar": {"code": calendar}, "gaps": [
            {"first": "2024-12-26", "last": "2024-12-27", "slots": 2, "fate": "too_long"}]});
        let insert =
            "insert into quality (object_id, rows_read, kept, filled, quarantined, report) values ($1, 3, 3, 0, 0, $2)";
        sqlx::query(insert).bind(id).bind(report).execute(&world.owner).await.unwrap();
    }
    let page = world.page("/quality?days=30").await;
    let cells = |part: &str| {
        part.split("<div class=\"cells\"")
            .skip(1)
            .map(|row| row.split("</div>").next().unwrap().matches("<i ").count())
            .collect::<Vec<_>>()
    };
    let rows = cells(&page);
    assert_eq!((rows.len(), rows[0]), (3, 30), "{rows:?}");
    assert!(rows.iter().all(|count| *count == rows[0]), "{rows:?}");
    assert!(page.contains("data-date=\"2024-12-21\"") && page.contains("data-says=\"1/1/0\""), "{page}");
    let gaps = world.page("/gaps").await;
    assert!(gaps.contains("/symbol/BTC%2FUSD/1day?from=2024-12-26&#38;to=2024-12-27"), "{gaps}");
    let listed = world.json("/api/v1/gaps?search=aap").await;
    assert_eq!((&listed["rows"][0]["symbol"], &listed["rows"][0]["slots"]), (&"AAPL".into(), &2.into()));
}

/// A dropped file has no instrument with a zone, but its calendar has one.
async fn the_times_of_a_dropped_file_are_those_of_its_exchange(world: World) {
    let id = world.load("ABC", "2024-12-30", &["1"]).await;
    let report = "insert into quality (object_id, rows_read, kept, filled, quarantined, report)
        values ($1, 1, 1, 0, 0, jsonb_build_object('calendar', jsonb_build_object('code', 'XNYS')))";
    sqlx::query(report).bind(id).execute(&world.owner).await.unwrap();
    let page = world.page("/symbol/ABC/1day").await;
    assert!(page.contains("data-timezone=\"America/New_York\""), "{page}");
}

async fn ten_thousand_series_are_listed_by_pages(world: World) {
    world.run("insert into objects (key, symbol, interval, rows_total) select 'k' || n, 'S' || lpad(n::text, 5, '0'), '1day', 1 from generate_series(1, 10000) as n").await;
    world
        .run("insert into candles select symbol, '1day', '2024-12-30', 1, 1, 1, 1, 1, false, id from objects; analyze")
        .await;
    let page = world.page("/?search=S0").await;
    assert!(page.contains("200 of 9") && page.matches("data-search").count() == 200, "{} bytes", page.len());
    assert!(page.len() < 600_000, "{} bytes", page.len());
    let next = world.page("/?search=S0&after=200").await;
    assert!(next.contains("S00201") && !next.contains("S00200 1day"));
}
