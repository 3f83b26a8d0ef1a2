//! Events, as they happen.

use libtest_mimic::Trial;
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{LISTENERS, World, header};

pub fn trials() -> Vec<Trial> {
    trials![
        every_listener_hears_of_a_load,
        an_alert_is_told,
        who_comes_back_gets_what_they_missed,
        a_strange_event_id_means_to_look_again,
        no_more_listen_than_may_until_one_goes
    ]
}

/// An event stream, and the part of it that has not been parsed yet.
struct Stream {
    response: Response,
    rest: String,
}

impl Stream {
    async fn open(world: &World, headers: &[(&str, &str)]) -> Self {
        let response = world.get_with("/api/v1/events", headers).await;
        assert_eq!(header(&response, "content-type"), "text/event-stream");
        Self { response, rest: String::new() }
    }

    /// The next event with data: its id and its JSON.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
                };
                let found =
                    field("data:").map(|data| (field("id:").unwrap_or_default(), serde_json::from_str(&data).unwrap()));
                self.rest = rest.to_owned();
                if let Some(found) = found {
                    return found;
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap().unwrap();
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

/// Notifications arrive only once the listener is connected, so the change is repeated until one does.
async fn first_load(world: &World, stream: &mut Stream) -> (String, Value) {
    let retry = async {
        loop {
            world.run("update objects set loaded_at = clock_timestamp()").await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::select! { event = stream.next() => event, () = retry => unreachable!() }
}

async fn every_listener_hears_of_a_load(world: World) {
    let mut stream = Stream::open(&world, &[]).await;
    world.load("BTC/USD", "2024-12-01", &["1"]).await;
    let (_, told) = first_load(&world, &mut stream).await;
    let key = "transformed/interval=1day/symbol=BTC%2FUSD/candles.csv";
    assert_eq!(told, json!({"kind": "loaded", "symbol": "BTC/USD", "interval": "1day", "key": key}));
}

async fn an_alert_is_told(world: World) {
    let mut stream = Stream::open(&world, &[]).await;
    world.load("AAPL", "2024-12-01", &["1"]).await;
    first_load(&world, &mut stream).await;
    world
        .run(
            "insert into alerts (kind, stage, subject, state, text, raised_at, last_at, occurrences, changed_at)
        values ('dead_letter', 'loader', 'AAPL', 'firing', 'why', now(), now(), 1, now())",
        )
        .await;
    while stream.next().await.1 != json!({"kind": "alert"}) {}
}

async fn who_comes_back_gets_what_they_missed(world: World) {
    let mut stream = Stream::open(&world, &[]).await;
    world.load("AAPL", "2024-12-01", &["1"]).await;
    let (id, _) = first_load(&world, &mut stream).await;
    drop(stream);
    world.load("MSFT", "2024-12-01", &["1"]).await;
    let mut again = Stream::open(&world, &[("last-event-id", &id)]).await;
    while again.next().await.1["symbol"] != "MSFT" {}
}

async fn a_strange_event_id_means_to_look_again(world: World) {
    for id in ["00000000-1", "x", "ffffffff-18446744073709551615"] {
        let mut stream = Stream::open(&world, &[("last-event-id", id)]).await;
        assert_eq!(stream.next().await.1, json!({"kind": "resync"}), "{id}");
    }
}

async fn no_more_listen_than_may_until_one_goes(world: World) {
    let mut streams = Vec::new();
    for _ in 0..LISTENERS {
        streams.push(Stream::open(&world, &[]).await);
    }
    let refused = world.get("/api/v1/events").await;
    let is_problem = header(&refused, "content-type") == "application/problem+json";
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after"), is_problem), (503, "10".to_owned(), true));
    assert!(refused.text().await.unwrap().contains("DASHBOARD_EVENT_STREAMS"));
    assert_eq!(world.get("/api/v1/series").await.status(), 200);
    streams.pop();
    // The server notices the closed connection a moment later.
    while world.get("/api/v1/events").await.status() != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
