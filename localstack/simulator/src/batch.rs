//! `POST /batch`: several API requests in one HTTP request.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::Uri;
use jiff::Timestamp;
use serde::Deserialize;

use crate::api::document::Document;
use crate::api::error::ApiError;
use crate::api::parameters::Parameters;
use crate::api::time_series::Body;
use crate::reply::{Delivery, Reply};
use crate::simulator::{Request, Simulator};

#[derive(Deserialize)]
struct Item {
    url: String,
}

/// Answers the requests of a body `{"ID": {"url": "/time_series?symbol=AAPL&…"}, …}` in the order of their ids. Each is
/// authorized and charged separately, so once the credits are used up, the remaining ones are refused. Requests without
/// a key use that of the outer header.
pub fn answer(simulator: &Simulator, body: &[u8], header_key: Option<&str>, now: Timestamp) -> Reply {
    let Ok(items) = serde_json::from_slice::<BTreeMap<String, Item>>(body) else {
        return Reply::of(Err(ApiError::unsupported("a body that is not an object of requests, each with a url")));
    };
    let reply = |item: &Item| answer_item(simulator, item, header_key, now);
    let replies: Vec<_> = items.into_iter().map(|(id, item)| (id, reply(&item))).collect();
    let mut outer = Reply::of(Ok(Body::Json(Document::text(None))));
    let mut data = Vec::new();
    for (id, reply) in replies {
        outer = with_delivery_of(outer, &reply);
        let status = Document::text(Some(if reply.is_error() { "error" } else { "success" }));
        data.push((id, Document::object([("response", reply.into_document()), ("status", status)])));
    }
    let success = Document::text(Some("success"));
    let answer = [("code", Document::Value(200.into())), ("status", success), ("data", Document::object(data))];
    Reply { body: Body::Json(Document::object(answer)), ..outer }
}

/// Parses a request from the path and query of an absolute or relative URL.
pub fn request(url: &Uri, header_key: Option<&str>) -> Request {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(url).map(|query| query.0).unwrap_or_default();
    let parameters = Parameters::from_pairs(pairs);
    Request { path: url.path().to_owned(), parameters, header_key: header_key.map(str::to_owned) }
}

fn answer_item(simulator: &Simulator, item: &Item, header_key: Option<&str>, now: Timestamp) -> Reply {
    match item.url.parse::<Uri>() {
        Ok(url) => simulator.answer(&request(&url, header_key), now),
        Err(_) => Reply::of(Err(ApiError::unsupported("a url that cannot be parsed"))),
    }
}

/// Applies the account's usage and the delivery faults of an inner reply to the outer one.
fn with_delivery_of(outer: Reply, inner: &Reply) -> Reply {
    let delivery = if outer.delivery == Delivery::Intact { inner.delivery } else { outer.delivery };
    Reply { usage: inner.usage.or(outer.usage), delay: outer.delay.max(inner.delay), delivery, ..outer }
}
