//! Logging in with the form, and what is visible without a login.

use std::net::SocketAddr;

use candlewick_dashboard::auth::Secrets;
use libtest_mimic::Trial;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use secrecy::SecretString;

use crate::support::{World, header};

pub fn trials() -> Vec<Trial> {
    trials![
        a_browser_logs_in_by_the_form_and_out_again,
        the_page_that_refuses_works_and_gives_nothing_away,
        a_wrong_secret_gets_no_ticket_and_too_many_get_no_answer,
        the_brake_of_one_address_does_not_hold_others,
        the_form_of_another_site_is_refused,
        a_login_leads_back_and_to_no_other_site,
        where_there_is_no_secret_there_is_no_form
    ]
}

const TOKEN: &str = "open-sesame-open-sesame";

/// A request as a browser would send it, without following redirects.
async fn post(address: SocketAddr, path: &str, body: &str, headers: &[(&str, &str)]) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut request = client.post(format!("http://{address}{path}")).body(body.to_owned());
    request = request.header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn guarded(world: &World) -> SocketAddr {
    world.listen(Secrets::new(Some(SecretString::from(TOKEN)), Some(SecretString::from("hush & hush"))), 10_000).await
}

async fn a_browser_logs_in_by_the_form_and_out_again(world: World) {
    let address = guarded(&world).await;
    for secret in [TOKEN, "hush+%26+hush"] {
        let answer = post(address, "/login", &format!("secret={secret}&next=%2Fquality"), &[]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, "/quality".to_owned()));
        let cookie = header(&answer, "set-cookie");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"),
            "{cookie}"
        );
        let ticket = cookie.split(';').next().unwrap();
        let page = world.ask(address, "/quality", &[("cookie", ticket), ("accept", "text/html")]).await;
        assert_eq!(page.status(), 200);
        assert!(page.text().await.unwrap().contains("action=\"/logout\""));
        assert_eq!(world.ask(address, "/api/v1/series", &[("cookie", ticket)]).await.status(), 200);
        let out = post(address, "/logout", "", &[("cookie", ticket)]).await;
        assert_eq!((out.status().as_u16(), header(&out, "location")), (303, "/login".to_owned()));
        assert!(header(&out, "set-cookie").starts_with("candlewick=; Path=/; Max-Age=0"));
    }
    let bearer = format!("Bearer {TOKEN}");
    let page = world.ask(address, "/quality", &[("authorization", &bearer), ("accept", "text/html")]).await;
    assert!(!page.text().await.unwrap().contains("/logout"), "who brings the token each time cannot log out");
}

async fn the_page_that_refuses_works_and_gives_nothing_away(world: World) {
    world.load("SECRET", "2024-12-01", &["1"]).await;
    let address = guarded(&world).await;
    let refused = world.ask(address, "/symbol/SECRET/1day", &[("accept", "text/html")]).await;
    assert_eq!(refused.status(), 401);
    assert!(!header(&refused, "www-authenticate").contains("Basic"), "the browser would ask by a window of its own");
    let text = refused.text().await.unwrap();
    assert!(text.contains("<form") && text.contains("value=\"/symbol/SECRET/1day\""), "{text}");
    assert!(!text.contains("<nav") && !text.contains("app.js"), "{text}");
    let unknown = world.ask(address, "/symbol/NOTHING/1day", &[("accept", "text/html")]).await;
    assert_eq!(unknown.text().await.unwrap().replace("NOTHING", "SECRET"), text, "it says what there is and what not");
    let mut files: Vec<_> = text.split('"').filter(|part| part.starts_with("/assets/")).map(str::to_owned).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    files.push(candlewick_dashboard::assets::CHART_LIBRARY_ADDRESS.to_owned());
    for file in files {
        assert_eq!(world.ask(address, &file, &[]).await.status(), 200, "{file}");
    }
}

async fn a_wrong_secret_gets_no_ticket_and_too_many_get_no_answer(world: World) {
    let address = guarded(&world).await;
    for _ in 0..9 {
        let answer = post(address, "/login", "secret=wrong&next=/quality", &[("accept", "text/html")]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "set-cookie")), (401, String::new()));
        let text = answer.text().await.unwrap();
        assert!(text.contains("That is not it.") && text.contains("value=\"/quality\""), "{text}");
    }
    let bearer = [("authorization", "Bearer wrong")];
    assert_eq!(
        world.ask(address, "/api/v1/series", &bearer).await.status(),
        401,
        "the form and the API count together"
    );
    let right = format!("Bearer {TOKEN}");
    for header in ["Bearer wrong", &right] {
        let answer = world.ask(address, "/api/v1/series", &[("authorization", header)]).await;
        let retry = answer.headers()["retry-after"].clone();
        assert_eq!((answer.status().as_u16(), retry.to_str().unwrap()), (429, "10"), "{header}");
    }
    let form = post(address, "/login", &format!("secret={TOKEN}"), &[]).await;
    assert_eq!((form.status().as_u16(), header(&form, "set-cookie")), (429, String::new()));
    assert_eq!(header(&form, "retry-after"), "10");
}

/// Two clients use the same trusted proxy. A visitor who logged in before the flood keeps the ticket.
async fn the_brake_of_one_address_does_not_hold_others(world: World) {
    let secrets = Secrets::new(Some(SecretString::from(TOKEN)), None);
    let guard = candlewick_dashboard::config::Guard { secrets, trusted_proxies: 1, ..crate::support::open_guard() };
    let address = world.serve(world.app(), guard).await;
    let from = |forwarded: &'static str| [("x-forwarded-for", forwarded), ("x-forwarded-proto", "https")];
    let ticket = post(address, "/login", &format!("secret={TOKEN}"), &from("203.0.113.7")).await;
    let ticket = header(&ticket, "set-cookie");
    assert!(ticket.ends_with("; Secure"), "{ticket}");
    let ask = async |forwarded: &str, name: &str, value: &str| {
        let headers = [("x-forwarded-for", forwarded), (name, value)];
        world.ask(address, "/api/v1/series", &headers).await.status().as_u16()
    };
    for number in 0..11 {
        // Entries that the client itself sends are on the left.
        let status = ask(&format!("198.51.100.{number}, 203.0.113.7"), "authorization", "Bearer wrong").await;
        assert_eq!(status, if number < 10 { 401 } else { 429 });
    }
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(ask("203.0.113.8", "authorization", &bearer).await, 200);
    assert_eq!(ask("203.0.113.7", "cookie", ticket.split(';').next().unwrap()).await, 200);
}

async fn the_form_of_another_site_is_refused(world: World) {
    let address = guarded(&world).await;
    let body = format!("secret={TOKEN}");
    for headers in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        assert_eq!(post(address, "/login", &body, &[headers]).await.status(), 403, "{headers:?}");
        assert_eq!(post(address, "/logout", "", &[headers]).await.status(), 403, "{headers:?}");
    }
    let own = format!("http://{address}");
    assert_eq!(post(address, "/login", &body, &[("origin", &own)]).await.status(), 303);
    let image =
        world.get_with("/api/v1/series", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]).await;
    assert_eq!(image.status(), 403);
    let link = world.get_with("/", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]).await;
    assert_eq!(link.status(), 200);
}

async fn a_login_leads_back_and_to_no_other_site(world: World) {
    let address = guarded(&world).await;
    for next in ["%2F%2Fevil.example", "https%3A%2F%2Fevil.example", "%2F%5Cevil.example", "%0D%0ASet-Cookie%3A+x%3Dy"]
    {
        let answer = post(address, "/login", &format!("secret={TOKEN}&next={next}"), &[]).await;
        assert_eq!(header(&answer, "location"), "/", "{next}");
    }
    let script = world.ask(address, "/quality?x=%22%3E%3Cscript%3E", &[("accept", "text/html")]).await;
    assert!(!script.text().await.unwrap().contains("\"><script>"));
    assert_eq!(post(address, "/login", "secret=%ff", &[]).await.status(), 401);
    assert_eq!(post(address, "/login", &"x".repeat(2_000), &[]).await.status(), 413);
}

async fn where_there_is_no_secret_there_is_no_form(world: World) {
    let answer = post(world.address, "/login", "secret=x", &[]).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, "/".to_owned()));
    assert!(header(&answer, "set-cookie").is_empty());
}
