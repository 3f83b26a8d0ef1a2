//! An answer before it becomes HTTP.

use std::time::Duration;

use crate::api::document::Document;
use crate::api::error::ApiError;
use crate::api::time_series::Body;
use crate::credits::Usage;
use crate::faults::{Fault, Kind};

/// An answer and how it is to be delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    pub body: Body,
    /// Whether it is keyed by symbol, which the header `is_batch` tells.
    pub is_batch: bool,
    /// The account, for the headers `api-credits-used` and `api-credits-left`; absent where there is no account.
    pub usage: Option<Usage>,
    /// How long to wait before it is sent.
    pub delay: Duration,
    /// What happens to it on the way.
    pub spoiled: Spoiled,
}

/// What happens to an answer on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoiled {
    /// Nothing.
    Not,
    /// A page of HTML comes in its place, with this status.
    Html(u16),
    /// The connection ends halfway through the body.
    Cut,
}

/// The answer for one symbol.
pub type Part = (String, Result<Body, ApiError>);

impl Reply {
    /// The reply to a request without parts, or that failed as a whole.
    pub fn of(result: Result<Body, ApiError>) -> Self {
        let (status, body) = match result {
            Ok(body) => (200, body),
            Err(error) => (error.code, Body::Json(error.body().into())),
        };
        Self { status, body, is_batch: false, usage: None, delay: Duration::ZERO, spoiled: Spoiled::Not }
    }

    /// The reply to a request for several symbols: one object keyed by symbol, errors among its values.
    pub fn of_parts(parts: Vec<Part>) -> Self {
        let parts = parts.into_iter().map(|(symbol, result)| (symbol, Self::of(result).into_document()));
        Self { is_batch: true, ..Self::of(Ok(Body::Json(Document::object(parts)))) }
    }

    /// The reply after the faults of its delivery. Of several delays the longest counts.
    pub fn delivered_with(mut self, faults: &[Fault]) -> Self {
        for fault in faults {
            match fault.kind {
                Kind::Html => self.spoiled = Spoiled::Html(fault.code.unwrap_or(200)),
                Kind::Cut => self.spoiled = Spoiled::Cut,
                Kind::Slow => self.delay = self.delay.max(Duration::from_millis(fault.delay_ms)),
                _ => {}
            }
        }
        self
    }

    /// The status that goes over the wire.
    pub fn wire_status(&self) -> u16 {
        match self.spoiled {
            Spoiled::Html(status) => status,
            Spoiled::Not | Spoiled::Cut => self.status,
        }
    }

    /// Whether its body is an error, whatever its status.
    pub fn is_error(&self) -> bool {
        matches!(&self.body, Body::Json(Document::Value(answer)) if answer["status"] == "error")
    }

    /// The body as a document, as it stands within another.
    pub fn into_document(self) -> Document {
        match self.body {
            Body::Json(answer) => answer,
            Body::Csv(text) => Document::text(Some(&text)),
        }
    }
}
