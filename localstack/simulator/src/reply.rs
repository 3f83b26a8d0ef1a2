//! Answers before they are sent over HTTP.

use std::time::Duration;

use crate::api::document::Document;
use crate::api::error::ApiError;
use crate::api::time_series::Body;
use crate::credits::Usage;
use crate::faults::{Fault, Kind};

/// An answer and how to deliver it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The HTTP status, unless [`Delivery::Html`] replaces it.
    pub status: u16,
    pub body: Body,
    /// Whether the body is an object by symbol. The header `is_batch` says so.
    pub is_batch: bool,
    /// For the headers `api-credits-used` and `api-credits-left`; `None` if the request was not authorized.
    pub usage: Option<Usage>,
    /// How long to wait before sending.
    pub delay: Duration,
    pub delivery: Delivery,
}

/// Whether and how a fault damages an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The answer arrives unchanged.
    Intact,
    /// An HTML page with this status replaces the answer.
    Html(u16),
    /// The connection is cut halfway through the body.
    Cut,
}

/// The answer for one symbol.
pub type Part = (String, Result<Body, ApiError>);

impl Reply {
    /// Creates the reply to a request with a single answer, or to one that failed entirely.
    pub fn of(result: Result<Body, ApiError>) -> Self {
        let (status, body) = match result {
            Ok(body) => (200, body),
            Err(error) => (error.code, Body::Json(error.body().into())),
        };
        Self { status, body, is_batch: false, usage: None, delay: Duration::ZERO, delivery: Delivery::Intact }
    }

    /// Creates the reply to a request for several symbols: one object by symbol, whose values may be errors.
    pub fn of_parts(parts: Vec<Part>) -> Self {
        let parts = parts.into_iter().map(|(symbol, result)| (symbol, Self::of(result).into_document()));
        Self { is_batch: true, ..Self::of(Ok(Body::Json(Document::object(parts)))) }
    }

    /// Applies delivery faults. The longest of several delays is used.
    pub fn delivered_with(mut self, faults: &[Fault]) -> Self {
        for fault in faults {
            match fault.kind {
                Kind::Html => self.delivery = Delivery::Html(fault.code.unwrap_or(200)),
                Kind::Cut => self.delivery = Delivery::Cut,
                Kind::Slow => self.delay = self.delay.max(Duration::from_millis(fault.delay_ms)),
                _ => {}
            }
        }
        self
    }

    /// Returns the HTTP status to send.
    pub fn wire_status(&self) -> u16 {
        match self.delivery {
            Delivery::Html(status) => status,
            Delivery::Intact | Delivery::Cut => self.status,
        }
    }

    /// Returns whether the body is an error. The HTTP status may still be 200.
    pub fn is_error(&self) -> bool {
        matches!(&self.body, Body::Json(Document::Value(answer)) if answer["status"] == "error")
    }

    /// Converts the body to a document, to embed it in another one.
    pub fn into_document(self) -> Document {
        match self.body {
            Body::Json(answer) => answer,
            Body::Csv(text) => Document::text(Some(&text)),
        }
    }
}
