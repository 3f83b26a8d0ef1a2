//! A simulator to ask: in this process without HTTP, or on a port of its own.

use candlewick_shared::core::clock::Clock;
use candlewick_simulator::api::time_series::Body;
use candlewick_simulator::batch;
use candlewick_simulator::reply::Reply;
use candlewick_simulator::settings::Settings;
use candlewick_simulator::simulator::Simulator;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A Wednesday noon in New York, in session.
pub const NOON: &str = "2026-11-18T17:00:00Z";

/// A simulator without HTTP, asked at one instant.
pub struct Local {
    pub simulator: Simulator,
    pub now: Timestamp,
}

/// Default settings at [`NOON`].
pub fn local() -> Local {
    local_with(&Settings::default())
}

pub fn local_with(settings: &Settings) -> Local {
    Local { simulator: Simulator::new(settings).unwrap(), now: NOON.parse().unwrap() }
}

impl Local {
    pub fn at(mut self, now: &str) -> Self {
        self.now = now.parse().unwrap();
        self
    }

    pub fn reply(&self, url: &str) -> Reply {
        self.simulator.answer(&batch::request(&url.parse().unwrap(), Some("key")), self.now)
    }

    pub fn json(&self, url: &str) -> Value {
        serde_json::to_value(self.reply(url).into_document()).unwrap()
    }

    pub fn csv(&self, url: &str) -> String {
        match self.reply(url).body {
            Body::Csv(text) => text,
            Body::Json(answer) => panic!("not CSV: {answer:?}"),
        }
    }

    /// One field of all rows of `/time_series?…`.
    pub fn column(&self, query: &str, field: &str) -> Vec<String> {
        let answer = self.json(&format!("/time_series?{query}"));
        let rows = answer["values"].as_array().unwrap_or_else(|| panic!("no values: {answer}"));
        rows.iter().map(|row| row[field].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub fn times(&self, query: &str) -> Vec<String> {
        self.column(query, "datetime")
    }

    /// Code and message of an error.
    pub fn error(&self, url: &str) -> (u16, String) {
        let reply = self.reply(url);
        let status = reply.status;
        let answer = serde_json::to_value(reply.into_document()).unwrap();
        assert_eq!((&answer["code"], &answer["status"]), (&status.into(), &"error".into()), "{answer}");
        (status, answer["message"].as_str().unwrap().to_owned())
    }
}

/// A simulator on a port of its own, which stops when this is dropped.
pub struct Served {
    pub base: String,
    pub client: reqwest::Client,
    _stop: DropGuard,
}

/// Serves with the clock standing still at [`NOON`], so that no minute ends during a test.
pub async fn served(settings: Settings) -> Served {
    let clock = Clock::Simulated { start: NOON.parse().unwrap(), anchor: Timestamp::now(), rate: 1e-12 };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    tokio::spawn(candlewick_simulator::serve(listener, Settings { clock, ..settings }, stopped));
    Served { base, client: client(), _stop: stop.drop_guard() }
}

/// A client has no provider of cryptography built in and wants one even where it speaks plain HTTP.
fn client() -> reqwest::Client {
    // The error only says that a sibling test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

impl Served {
    pub async fn get(&self, url: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}{url}", self.base)).header("Authorization", "apikey key");
        request.send().await.unwrap()
    }

    pub async fn put(&self, path: &str, body: Value) -> reqwest::Response {
        self.client.put(format!("{}{path}", self.base)).json(&body).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> reqwest::Response {
        let request = self.client.post(format!("{}{path}", self.base)).header("Authorization", "apikey key");
        request.json(&body).send().await.unwrap()
    }
}
