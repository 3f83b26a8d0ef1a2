//! A collector of OTLP over HTTP, and of lineage, that keeps what it receives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::Value as Json;
use tokio::net::TcpListener;

#[derive(Clone, Default)]
struct Kept {
    spans: Arc<Mutex<Vec<Seen>>>,
    lineage: Arc<Mutex<Vec<Json>>>,
}

/// A collector that listens until the runtime on which it was started ends.
pub struct Collector {
    pub address: SocketAddr,
    kept: Kept,
}

/// A span, and the service that sent it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub service: String,
    pub span: Span,
}

impl Collector {
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listen for spans")?;
        let address = listener.local_addr().context("read the address")?;
        let kept = Kept::default();
        let app = Router::new().route("/v1/traces", post(take)).route("/api/v1/lineage", post(take_lineage));
        let app = app.with_state(kept.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { address, kept })
    }

    /// The first span that meets a condition.
    pub fn find(&self, is_it: impl Fn(&Seen) -> bool) -> Option<Seen> {
        let spans = self.kept.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.iter().find(|seen| is_it(seen)).cloned()
    }

    /// The first lineage event that meets a condition.
    pub fn event(&self, is_it: impl Fn(&Json) -> bool) -> Option<Json> {
        let events = self.kept.lineage.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().find(|event| is_it(event)).cloned()
    }
}

impl Seen {
    /// The value of a text attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.span.attributes.iter().find(|attribute| attribute.key == name)?;
        match attribute.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text),
            _ => None,
        }
    }
}

async fn take_lineage(State(kept): State<Kept>, axum::Json(event): axum::Json<Json>) -> StatusCode {
    kept.lineage.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    StatusCode::CREATED
}

async fn take(State(kept): State<Kept>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut spans = kept.spans.lock().unwrap_or_else(PoisonError::into_inner);
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
        let service = match name.and_then(|name| name.value).and_then(|value| value.value) {
            Some(Value::StringValue(service)) => service,
            _ => String::new(),
        };
        let found = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(found.map(|span| Seen { service: service.clone(), span }));
    }
    StatusCode::OK
}
