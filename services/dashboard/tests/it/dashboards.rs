//! The owner's dashboards: how they are shown, saved, shared and framed.

use std::net::SocketAddr;
use std::sync::Arc;

use candlewick_dashboard::app::App;
use candlewick_dashboard::auth::Secrets;
use candlewick_dashboard::config::Guard;
use candlewick_dashboard::dashboards::files::Files;
use candlewick_dashboard::editing::Dashboards;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use libtest_mimic::Trial;
use reqwest::{Client, Response};
use secrecy::SecretString;

use crate::support::{SCRIPT, World, header, open_guard};

pub fn trials() -> Vec<Trial> {
    trials![
        a_saved_dashboard_is_shown,
        a_group_of_the_watchlist_has_a_dashboard,
        a_broken_document_is_named_and_hides_no_other,
        saving_takes_its_own_token,
        a_save_replaces_only_what_was_read,
        a_link_shows_one_dashboard_and_nothing_else,
        only_shared_dashboards_are_framed,
        a_title_is_escaped_wherever_it_is_shown,
    ]
}

const TOKEN: &str = "the-token-of-the-editor";

const DOCUMENT: &str = r#"title = "Mine"

[[tiles]]
kind = "chart"
variables = ["AAPL 1day close", "AAPL 1day sma2", "NONE 1day", "AAPL 1week"]
scale = "log"
range = "All"

[[tiles]]
kind = "table"
variables = ["AAPL 1day close", "MSFT 1day"]
rows = 2

[[tiles]]
kind = "value"
variables = ["AAPL 1day close", "NONE 1day"]

[[tiles]]
kind = "gaps"
variables = ["AAPL 1day", "NONE 1day"]

[[tiles]]
kind = "run"
"#;

fn app(world: &World, folder: &tempfile::TempDir) -> App {
    let watchlist = folder.path().join("watchlist.toml");
    let list = "[groups.Stocks]\nsymbols = [\"AAPL\", \"MSFT\"]\n[groups.etfs]\nsymbols = [\"SPY\"]\n";
    std::fs::write(&watchlist, list).unwrap();
    let source = WatchlistSource::file(watchlist, Arc::new(LogNotifier));
    let files = Files::of(source.location(), |_| world.store.clone());
    let dashboards = Arc::new(Dashboards::new(Some(files), Some(SecretString::from(TOKEN))));
    App { watchlist: Some(Arc::new(source)), dashboards, ..world.app() }
}

/// A dashboard service whose documents are in a folder.
struct Kept {
    folder: tempfile::TempDir,
    address: SocketAddr,
}

impl Kept {
    async fn new(world: &World) -> Self {
        Self::guarded(world, open_guard()).await
    }

    async fn guarded(world: &World, guard: Guard) -> Self {
        world.load("AAPL", "2024-12-30", &["1", "3"]).await;
        world.load("MSFT", "2024-12-31", &["7"]).await;
        let folder = tempfile::tempdir().unwrap();
        let address = world.serve(app(world, &folder), guard).await;
        Self { folder, address }
    }

    fn write(&self, name: &str, text: &str) {
        let folder = self.folder.path().join("config/dashboards");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    }

    async fn put(&self, name: &str, text: &str, headers: &[(&str, &str)]) -> Response {
        let url = format!("http://{}/api/v1/dashboards/{name}", self.address);
        let mut request = Client::new().put(url).body(text.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn text(&self, world: &World, path: &str) -> String {
        let answer = world.ask(self.address, path, &[("accept", "text/html")]).await;
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.unwrap()
    }

    async fn json(&self, world: &World, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.text(world, path).await).unwrap()
    }
}

async fn a_saved_dashboard_is_shown(world: World) {
    let kept = Kept::new(&world).await;
    let saved = kept.put("mine", DOCUMENT, &[("edit-token", TOKEN)]).await;
    assert_eq!(saved.status(), 200);
    assert!(kept.text(&world, "/dashboards").await.contains("href=\"/dashboards/mine\">Mine</a>"));
    let page = kept.text(&world, "/dashboards/mine").await;
    for words in [
        "<h1>Mine</h1>",
        "AAPL 1day close, AAPL 1day sma2, NONE 1day, AAPL 1week",
        "<th scope=\"row\">2024-12-31</th><td class=\"number\">3.00</td><td class=\"number\">7.00</td>",
        "<b>3.00</b> <span class=\"up\">+200.00 %</span>",
        "<dt>NONE 1day</dt><dd><span class=\"soft\">not in the store</span>",
        "no candle is missing",
        "No run yet",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let chart = kept.json(&world, "/api/v1/dashboards/mine/tiles/0/candles").await;
    let lines = chart["lines"].as_array().unwrap();
    assert_eq!((&chart["scale"], lines.len()), (&"log".into(), 4));
    assert_eq!(lines[0]["values"], serde_json::json!([["1", "3"]]));
    assert_eq!(lines[1]["values"], serde_json::json!([[null, 2.0]]));
    assert_eq!((&lines[2]["is_missing"], &lines[2]["values"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(
        (&lines[3]["columns"][3], &lines[3]["values"][3][0]),
        (&"close".into(), &"3".into()),
        "weeks are derived"
    );
    for path in ["tiles/1/candles", "tiles/9/candles", "tiles/-1/candles"] {
        let answer = world.ask(kept.address, &format!("/api/v1/dashboards/mine/{path}"), &[]).await;
        assert!(matches!(answer.status().as_u16(), 400 | 404), "{path}: {}", answer.status());
    }
}

async fn a_group_of_the_watchlist_has_a_dashboard(world: World) {
    let kept = Kept::new(&world).await;
    let all = kept.json(&world, "/api/v1/dashboards").await;
    let names: Vec<_> = all.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["etfs", "stocks"]);
    let page = kept.text(&world, "/dashboards/stocks").await;
    assert!(page.contains("<h1>Stocks</h1>") && page.contains("MSFT 1day close"), "{page}");
    let editor = kept.text(&world, "/dashboards/stocks/edit").await;
    assert!(editor.contains("AAPL 1day close") && editor.contains("data-version=\"\""), "{editor}");
    kept.write("stocks.toml", "title = \"Own\"\n[[tiles]]\nkind = \"run\"\n");
    assert!(kept.text(&world, "/dashboards/stocks").await.contains("<h1>Own</h1>"), "a document replaces the default");
    let missing = world.ask(kept.address, "/dashboards/none", &[]).await;
    assert_eq!(missing.status(), 404);
    assert!(kept.text(&world, "/dashboards/none/edit").await.contains("New dashboard"));
}

async fn a_broken_document_is_named_and_hides_no_other(world: World) {
    let kept = Kept::new(&world).await;
    kept.write("broken.toml", "title = \"Broken\"\n\n[[tiles]]\nkind = \"pie\"\n");
    kept.write("good.toml", DOCUMENT);
    let list = kept.text(&world, "/dashboards").await;
    assert!(list.contains("line 4: ") && list.contains("Mine"), "{list}");
    let answer = world.ask(kept.address, "/dashboards/broken", &[("accept", "text/html")]).await;
    assert_eq!(answer.status(), 422);
    let text = answer.text().await.unwrap();
    assert!(text.contains("config/dashboards/broken.toml: line 4: ") && text.contains("pie"), "{text}");
    let refused =
        kept.put("mine", "title = \"x\"\n[[tiles]]\nkind = \"run\"\nrows = 3", &[("edit-token", TOKEN)]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("line 2: a tile of the kind run has no rows"));
}

async fn saving_takes_its_own_token(world: World) {
    let secrets = Secrets::new(Some(SecretString::from("open-sesame")), None);
    let kept = Kept::guarded(&world, Guard { secrets, ..open_guard() }).await;
    let login = ("authorization", "Bearer open-sesame");
    for (headers, status) in [
        (vec![], 401),
        (vec![("edit-token", TOKEN)], 401),
        (vec![login], 403),
        (vec![login, ("edit-token", "open-sesame")], 403),
        (vec![login, ("edit-token", TOKEN), ("sec-fetch-site", "cross-site")], 403),
        (vec![login, ("edit-token", TOKEN)], 200),
    ] {
        assert_eq!(kept.put("mine", DOCUMENT, &headers).await.status().as_u16(), status, "{headers:?}");
    }
    let large = kept.put("mine", &" ".repeat(65 << 10), &[login, ("edit-token", TOKEN)]).await;
    assert_eq!(large.status(), 413);
    for name in ["..%2Fwatchlist", "Upper", "a.toml", "%2e%2e"] {
        let answer = kept.put(name, DOCUMENT, &[login, ("edit-token", TOKEN)]).await;
        assert!(answer.status().is_client_error(), "{name}: {}", answer.status());
    }
    let kept_files = std::fs::read_dir(kept.folder.path().join("config/dashboards")).unwrap().count();
    assert_eq!(kept_files, 1);
}

async fn a_save_replaces_only_what_was_read(world: World) {
    let kept = Kept::new(&world).await;
    let put = async |more: &[(&str, &str)]| {
        let headers: Vec<_> = [("edit-token", TOKEN)].into_iter().chain(more.iter().copied()).collect();
        kept.put("mine", DOCUMENT, &headers).await
    };
    let first: serde_json::Value = put(&[("if-none-match", "*")]).await.json().await.unwrap();
    let version = first["version"].as_str().unwrap();
    assert_eq!(put(&[("if-none-match", "*")]).await.status(), 412);
    assert_eq!(put(&[("if-match", "other")]).await.status(), 412);
    assert_eq!(put(&[("if-match", version)]).await.status(), 200);
    kept.write("mine.toml", "title = \"By hand\"\n[[tiles]]\nkind = \"run\"\n");
    assert_eq!(put(&[("if-match", version)]).await.status(), 412);
    assert_eq!(put(&[("if-match", version), ("if-none-match", "*")]).await.status(), 400);
}

async fn a_link_shows_one_dashboard_and_nothing_else(world: World) {
    let secrets = Secrets::new(Some(SecretString::from("open-sesame")), None);
    let kept = Kept::guarded(&world, Guard { secrets, ..open_guard() }).await;
    kept.write("mine.toml", DOCUMENT);
    let login = [("authorization", "Bearer open-sesame")];
    let page = world.ask(kept.address, "/dashboards/mine", &login).await.text().await.unwrap();
    let link = page.split("id=\"read-only-link\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let key = link.split("key=").nth(1).unwrap();
    let shared = kept.text(&world, link).await;
    assert!(
        shared.contains("<h1>Mine</h1>") && !shared.contains("href=\"/\"") && !shared.contains("/edit"),
        "{shared}"
    );
    let candles = world.ask(kept.address, &format!("/shared/mine/tiles/0/candles?key={key}"), &[]).await;
    assert_eq!(candles.status(), 200);
    for path in [
        "/shared/mine".to_owned(),
        "/shared/mine?key=".to_owned(),
        format!("/shared/stocks?key={key}"),
        format!("/shared/mine?key={}", key.replace(['0', '1', '2'], "3")),
        format!("/dashboards/mine?key={key}"),
        format!("/api/v1/series?key={key}"),
        format!("/api/v1/dashboards/mine?key={key}"),
        format!("/shared/mine/../../api/v1/series?key={key}"),
        format!("/shared/mine%2F..%2F..%2Fapi?key={key}"),
    ] {
        let status = world.ask(kept.address, &path, &[]).await.status().as_u16();
        assert_eq!(status, 401, "{path}");
    }
    assert_eq!(kept.put("mine", DOCUMENT, &[("edit-token", TOKEN)]).await.status(), 401);
}

async fn only_shared_dashboards_are_framed(world: World) {
    let guard = Guard { frame_ancestors: "https://wiki.example".parse().unwrap(), ..open_guard() };
    let kept = Kept::guarded(&world, guard).await;
    kept.write("mine.toml", DOCUMENT);
    let framed = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let shared = world.ask(kept.address, "/shared/mine", &framed).await;
    assert_eq!((shared.status().as_u16(), header(&shared, "x-frame-options")), (200, String::new()));
    let policy = header(&shared, "content-security-policy");
    assert!(policy.ends_with("frame-ancestors https://wiki.example") && !policy.contains("unsafe"), "{policy}");
    for path in ["/dashboards/mine", "/", "/api/v1/dashboards/mine"] {
        let answer = world.ask(kept.address, path, &[]).await;
        assert!(header(&answer, "content-security-policy").ends_with("frame-ancestors 'none'"), "{path}");
        assert_eq!(header(&answer, "x-frame-options"), "DENY", "{path}");
    }
    let unset = world.get("/shared/mine").await;
    assert!(header(&unset, "content-security-policy").ends_with("frame-ancestors 'none'"));
}

async fn a_title_is_escaped_wherever_it_is_shown(world: World) {
    let kept = Kept::new(&world).await;
    let document = format!("title = '{SCRIPT}'\n[[tiles]]\nkind = \"run\"\ntitle = '{SCRIPT}'\n");
    kept.write("mine.toml", &document);
    kept.write("broken.toml", &format!("'{SCRIPT}' = 1"));
    for path in ["/dashboards", "/dashboards/mine", "/dashboards/mine/edit", "/shared/mine"] {
        let page = kept.text(&world, path).await;
        assert!(!page.contains("<script>alert") && page.contains("alert(1)"), "{path}: {page}");
    }
}
