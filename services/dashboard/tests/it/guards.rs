//! Who has access, how often, and what browsers may do.

use std::time::Duration;

use candlewick_dashboard::auth::Secrets;
use candlewick_dashboard::config::Guard;
use candlewick_dashboard::read;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::runtime::env::Env;
use libtest_mimic::Trial;
use secrecy::SecretString;

use crate::support::{World, header, open_guard};

pub fn trials() -> Vec<Trial> {
    trials![
        the_database_refuses_every_write,
        nobody_looks_without_the_secret,
        only_this_machines_names_are_served_without_a_secret,
        who_asks_too_often_is_turned_away,
        every_answer_has_the_headers_that_bind_browsers,
        only_reads_are_answered,
        no_secret_is_on_any_page,
        it_says_whether_it_is_ready,
        who_waits_too_long_is_told_so,
        a_login_with_iam_wants_a_server_that_is_verified
    ]
}

async fn the_database_refuses_every_write(world: World) {
    world.load("AAPL", "2024-12-01", &["1"]).await;
    let writes = [
        "delete from candles",
        "update objects set key = 'x'",
        "insert into instruments (symbol, updated_at) values ('A', now())",
        "create table mine (a int)",
        "set default_transaction_read_only = off; delete from candles",
        "begin read write; truncate candles; commit",
    ];
    for write in writes {
        assert!(sqlx::raw_sql(write).execute(&world.pool).await.is_err(), "{write}");
    }
    let left: i64 = sqlx::query_scalar("select count(*) from candles").fetch_one(&world.owner).await.unwrap();
    assert_eq!(left, 1);
}

async fn nobody_looks_without_the_secret(world: World) {
    let secret = |text: &str| Some(SecretString::from(text));
    let address = world.listen(Secrets::new(secret("open-sesame"), secret("hush")), 10_000).await;
    for path in ["/", "/api/v1/series", "/api/v1/events", "/nothing", "/login/x", "/api/openapi.json"] {
        let refused = world.ask(address, path, &[]).await;
        assert_eq!(refused.status(), 401, "{path}");
        let challenges: Vec<_> = refused.headers().get_all("www-authenticate").iter().collect();
        assert!(challenges.len() == 2 && challenges[0].to_str().unwrap().starts_with("Basic"), "{challenges:?}");
    }
    // "anybody:hush" and "anybody:wrong" in base64.
    for (authorization, status) in [
        ("Bearer open-sesame", 200),
        ("Basic YW55Ym9keTpodXNo", 200),
        ("Bearer hush", 401),
        ("Basic YW55Ym9keTp3cm9uZw==", 401),
    ] {
        let answer = world.ask(address, "/api/v1/series", &[("authorization", authorization)]).await;
        assert_eq!(answer.status(), status, "{authorization}");
    }
    assert_eq!(world.ask(address, "/livez", &[]).await.status(), 200);
}

async fn only_this_machines_names_are_served_without_a_secret(world: World) {
    assert_eq!(world.get_with("/api/v1/series", &[("host", "evil.example")]).await.status(), 421);
    assert_eq!(world.get_with("/api/v1/series", &[("host", "localhost:1234")]).await.status(), 200);
}

async fn who_asks_too_often_is_turned_away(world: World) {
    let address = world.listen(None, 1).await;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = world.ask(address, "/login", &[]).await;
        if answer.status() == 429 {
            assert_eq!(header(&answer, "retry-after"), "1");
        }
        statuses.push(answer.status().as_u16());
    }
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    for _ in 0..20 {
        for path in ["/livez", "/readyz"] {
            assert_eq!(world.ask(address, path, &[]).await.status(), 200, "{path} counts for the limit");
        }
    }
}

async fn every_answer_has_the_headers_that_bind_browsers(world: World) {
    for path in ["/", "/api/v1/series", "/nothing", "/livez"] {
        let answer = world.get(path).await;
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(
            (header(&answer, "x-content-type-options"), header(&answer, "x-frame-options")),
            ("nosniff".into(), "DENY".into())
        );
        assert_eq!(header(&answer, "cache-control"), "private, no-cache");
    }
    let page = world.page("/").await;
    let style = page.split('"').find(|text| text.ends_with("/style.css")).unwrap();
    let style = world.get(style).await;
    assert_eq!(header(&style, "cache-control"), "public, max-age=31536000, immutable");
}

async fn only_reads_are_answered(world: World) {
    let client = reqwest::Client::new();
    let url = format!("http://{}/api/v1/series", world.address);
    let posted = client.post(&url).send().await.unwrap();
    assert_eq!(
        (posted.status().as_u16(), header(&posted, "content-type")),
        (405, "application/problem+json".to_owned())
    );
    let large = client.post(&url).body(vec![0; 4_096]).send().await.unwrap();
    assert_eq!(large.status(), 413);
}

async fn no_secret_is_on_any_page(world: World) {
    let secret = Secrets::new(Some(SecretString::from("open-sesame")), Some(SecretString::from("hush-hush")));
    let address = world.listen(secret, 10_000).await;
    for path in ["/", "/pipeline", "/quality", "/api", "/api/openapi.json", "/api/v1/pipeline", "/nothing"] {
        let answer =
            world.ask(address, path, &[("authorization", "Bearer open-sesame"), ("accept", "text/html")]).await;
        let text = answer.text().await.unwrap();
        assert!(!text.contains("sesame") && !text.contains("hush-hush") && !text.contains("postgres://"), "{path}");
    }
}

async fn it_says_whether_it_is_ready(world: World) {
    assert_eq!(world.get("/readyz").await.status(), 200);
    world.pool.close().await;
    // The earlier result is still cached, so this uses another dashboard.
    let other = world.listen(None, 10_000).await;
    assert_eq!(world.ask(other, "/readyz", &[]).await.status(), 503);
    assert_eq!(world.get("/livez").await.status(), 200);
}

/// The lock blocks every reader until the database cancels the read, a few seconds later.
async fn who_waits_too_long_is_told_so(world: World) {
    world.load("AAPL", "2024-12-01", &["1"]).await;
    let guard = Guard { patience: Duration::from_millis(200), ..open_guard() };
    let hasty = world.serve(world.app(), guard).await;
    let mut holder = world.owner.begin().await.unwrap();
    sqlx::query("lock table candles in access exclusive mode").execute(&mut *holder).await.unwrap();
    let answer = tokio::select! {
        answer = world.ask(hasty, "/api/v1/series/AAPL/1day/candles", &[]) => answer,
        _ = sqlx::query("select 1 from candles").execute(&world.pool) => panic!("the database gave up first"),
    };
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "content-type")),
        (504, "application/problem+json".to_owned())
    );
    assert!(answer.text().await.unwrap().contains("took too long"));
    holder.rollback().await.unwrap();
    assert_eq!(world.get("/api/v1/series/AAPL/1day/candles").await.status(), 200);
}

async fn a_login_with_iam_wants_a_server_that_is_verified(_: World) {
    let env = Env::from_variables([("DATABASE_IAM".to_owned(), "true".to_owned())].into());
    let aws = Aws::at("http://127.0.0.1:1", "eu-central-1", "id", "secret").await;
    let error = read::connect(&env, &aws, &"postgres://u@127.0.0.1:1/d".into(), 1).await.unwrap_err();
    assert!(format!("{error:#}").contains("sslmode=verify-full"), "{error:#}");
}
