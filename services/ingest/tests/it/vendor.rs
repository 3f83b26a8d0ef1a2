//! A vendor that answers as a test tells it to, under the addresses of the API.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::Uri;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// What a request asks for: its parameters, and its path under `path`.
pub type Asked = BTreeMap<String, String>;

type Answer = Box<dyn FnMut(&Asked) -> (u16, String) + Send>;

/// A vendor on a port of this machine, until it is dropped.
pub struct Vendor {
    pub url: String,
    shared: Arc<Shared>,
    server: AbortHandle,
}

struct Shared {
    answer: Mutex<Answer>,
    asked: Mutex<Vec<Asked>>,
}

impl Vendor {
    /// A vendor that has nothing to say yet.
    pub async fn start() -> Self {
        let answer: Answer = Box::new(|_| (500, String::new()));
        let shared = Arc::new(Shared { answer: Mutex::new(answer), asked: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(reply).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { url, shared, server }
    }

    /// From now on it answers so.
    pub fn answers(&self, answer: impl FnMut(&Asked) -> (u16, String) + Send + 'static) {
        *self.shared.answer.lock().unwrap() = Box::new(answer);
    }

    /// From now on it answers every request with this body.
    pub fn says(&self, status: u16, body: &str) {
        let body = body.to_owned();
        self.answers(move |_| (status, body.clone()));
    }

    /// How often it was asked since the last time that a test asked this.
    pub fn times_asked(&self) -> usize {
        std::mem::take(&mut *self.shared.asked.lock().unwrap()).len()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn reply(State(shared): State<Arc<Shared>>, uri: Uri, Query(mut asked): Query<Asked>) -> (StatusCode, String) {
    asked.insert("path".to_owned(), uri.path().to_owned());
    let (status, body) = (shared.answer.lock().unwrap())(&asked);
    shared.asked.lock().unwrap().push(asked);
    (StatusCode::from_u16(status).unwrap(), body)
}

/// A candle of the API: the same price four times but for the range, and a volume.
pub fn candle(datetime: &str, close: f64) -> Value {
    let price = |factor: f64| format!("{:.4}", close * factor);
    json!({"datetime": datetime, "open": price(1.0), "high": price(1.01), "low": price(0.99), "close": price(1.0), "volume": "1000"})
}

/// What the API says of a share in New York.
pub fn meta(symbol: &str, interval: &str) -> Value {
    json!({"symbol": symbol, "interval": interval, "currency": "USD", "exchange_timezone": "America/New_York",
           "exchange": "NASDAQ", "mic_code": "XNGS", "type": "Common Stock"})
}

/// An answer with candles.
pub fn answer(meta: &Value, values: &[Value]) -> String {
    json!({"meta": meta, "values": values, "status": "ok"}).to_string()
}
