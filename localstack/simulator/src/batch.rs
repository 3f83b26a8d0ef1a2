//! `POST /batch`: several requests in one.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::Uri;
use jiff::Timestamp;
use serde::Deserialize;

use crate::api::document::Document;
use crate::api::error::ApiError;
use crate::api::parameters::Parameters;
use crate::api::time_series::Body;
use crate::reply::{Reply, Spoiled};
use crate::simulator::{Request, Simulator};

#[derive(Deserialize)]
struct Item {
    url: String,
}

/// Answers the requests of a body `{"ID": {"url": "/time_series?symbol=AAPL&…"}, …}` in the order of their ids. Each is
/// authorized and charged by itself, so that where credits run out the rest are refused. A key of the outer header
/// serves requests that bring none.
pub fn answer(simulator: &Simulator, body: &[u8], header_key: Option<&str>, now: Timestamp) -> Reply {
    let Ok(items) = serde_json::from_slice::<BTreeMap<String, Item>>(body) else {
        return Reply::of(Err(ApiError::unsupported("a body that is not an object of requests with a url each")));
    };
    let replies: Vec<_> = items.into_iter().map(|(id, item)| (id, one(simulator, &item, header_key, now))).collect();
    let mut whole = Reply::of(Ok(Body::Json(Document::text(None))));
    let mut data = Vec::new();
    for (id, reply) in replies {
        whole = carried_over(whole, &reply);
        let status = Document::text(Some(if reply.is_error() { "error" } else { "success" }));
        data.push((id, Document::object([("response", reply.into_document()), ("status", status)])));
    }
    let success = Document::text(Some("success"));
    let answer = [("code", Document::Value(200.into())), ("status", success), ("data", Document::object(data))];
    Reply { body: Body::Json(Document::object(answer)), ..whole }
}

/// Reads a request from the path and query of a URL, whole or relative.
pub fn request(url: &Uri, header_key: Option<&str>) -> Request {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(url).map(|query| query.0).unwrap_or_default();
    let parameters = Parameters::from_pairs(pairs);
    Request { path: url.path().to_owned(), parameters, header_key: header_key.map(str::to_owned) }
}

fn one(simulator: &Simulator, item: &Item, header_key: Option<&str>, now: Timestamp) -> Reply {
    match item.url.parse::<Uri>() {
        Ok(url) => simulator.answer(&request(&url, header_key), now),
        Err(_) => Reply::of(Err(ApiError::unsupported("a url that cannot be read"))),
    }
}

/// The outer reply takes over the account's state and what happens to an inner one on the way.
fn carried_over(whole: Reply, inner: &Reply) -> Reply {
    let spoiled = if whole.spoiled == Spoiled::Not { inner.spoiled } else { whole.spoiled };
    Reply { usage: inner.usage.or(whole.usage), delay: whole.delay.max(inner.delay), spoiled, ..whole }
}
