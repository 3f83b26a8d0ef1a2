//! Pages, and above all that what they show cannot become a part of them.

use candlewick_dashboard::read::queues::DeadLetter;
use libtest_mimic::Trial;

use crate::trial;
use crate::world::{SCRIPT, World, header};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("every_value_is_escaped_on_every_page", every_value_is_escaped),
        trial("a_store_with_nothing_in_it_has_pages", nothing_in_it),
        trial("a_page_that_is_not_there_is_a_page", a_page_that_is_not_there),
        trial("queues_that_do_not_answer_leave_the_rest", queues_that_do_not_answer),
        trial("a_symbol_leads_to_its_days", a_symbol_leads_to_its_days),
        trial("the_api_is_shown_as_the_document_has_it", the_api_is_shown),
    ]
}

async fn every_value_is_escaped(world: World) {
    let id = world.load(SCRIPT, "2024-12-30", &["1", "2"]).await;
    let sql = "update objects set error = $1, run = $1, trace_id = $1, raw_key = $1 where id = $2";
    sqlx::query(sql).bind(SCRIPT).bind(id).execute(&world.owner).await.unwrap();
    let alert = "insert into alerts (kind, stage, subject, state, text, raised_at, last_at, occurrences, changed_at)
        values ($1, $1, $1, 'firing', $1, now(), now(), 1, now())";
    sqlx::query(alert).bind(SCRIPT).execute(&world.owner).await.unwrap();
    let letter = DeadLetter {
        queue: SCRIPT.to_owned(),
        id: SCRIPT.to_owned(),
        stage: SCRIPT.to_owned(),
        class: SCRIPT.to_owned(),
        reason: SCRIPT.to_owned(),
        attempts: SCRIPT.to_owned(),
        trace_id: Some(SCRIPT.to_owned()),
        body: SCRIPT.to_owned(),
        redrive: SCRIPT.to_owned(),
    };
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

async fn nothing_in_it(world: World) {
    for (path, words) in
        [("/", "Nothing here yet"), ("/pipeline", "None yet"), ("/quality", "Nothing has been loaded yet")]
    {
        assert!(world.page(path).await.contains(words), "{path}");
    }
}

async fn a_page_that_is_not_there(world: World) {
    for path in ["/nothing", "/symbol/NONE/1day", "/symbol/NONE", "/lineage/A/1day?time=x", "/quality/9", "/quality/x"]
    {
        let answer = world.get_with(path, &[("accept", "text/html")]).await;
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
        assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8", "{path}");
        assert!(answer.text().await.unwrap().contains("To the watchlist"), "{path}");
    }
}

async fn queues_that_do_not_answer(world: World) {
    world.run("insert into runs (id, kind, requested_at, is_whole) values ('run-1', 'manual', now(), true)").await;
    world.run("insert into run_series (run, symbol, interval, state) values ('run-1', 'A', '1day', 'failed'), ('run-1', 'B', '1day', 'expected')").await;
    let page = world.page("/pipeline").await;
    assert!(page.contains("the queues do not answer (no credentials)") && page.contains("run-1"), "{page}");
    assert!(page.contains("1 of 2 series settled") && page.contains("goes on"), "{page}");
    assert_eq!(world.get("/api/v1/dead-letters").await.status(), 503);
}

async fn a_symbol_leads_to_its_days(world: World) {
    world.load("BTC/USD", "2024-12-30", &["1"]).await;
    let page = world.page("/symbol/BTC%2FUSD").await;
    assert!(page.contains("data-api=\"/api/v1/series/BTC%2FUSD/1day\""), "{page}");
}

async fn the_api_is_shown(world: World) {
    let document = world.json("/api/openapi.json").await;
    let page = world.page("/api").await;
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 16 && document["openapi"].as_str().unwrap().starts_with("3."));
    for (path, operation) in paths {
        let summary = operation["get"]["summary"].as_str().unwrap();
        assert!(page.contains(path.as_str()) && page.contains(&summary.replace('\'', "&#39;")), "{path}");
    }
}
