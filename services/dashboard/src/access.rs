//! The access log: one line per request, with the trace id that all other log lines of the request have too.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use candlewick_shared::core::trace::TraceParent;
use candlewick_shared::runtime::tracing_ids::new_trace;
use tracing::Instrument;

use crate::client::Client;
use crate::refusals::Refusals;

/// Returns the trace id to the caller, who can search the log for it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How many characters of a path are logged.
const MOST_OF_A_PATH: usize = 200;

/// What is logged about a request. The query is left out because people put secrets there by mistake.
struct Line {
    client: Client,
    method: String,
    path: String,
    begun: Instant,
}

/// Logs each request when its response starts. A flood of refused requests makes only a few lines.
pub async fn log(
    State(refusals): State<Arc<Refusals>>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Response {
    let trace = trace_id(request.headers());
    let path = request.uri().path().chars().take(MOST_OF_A_PATH).collect();
    let line = Line { client, method: request.method().to_string(), path, begun: Instant::now() };
    let span = tracing::info_span!("request", trace_id = trace);
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Ok(id) = HeaderValue::from_str(&trace) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    span.in_scope(|| line.write(response.status(), &refusals));
    response
}

impl Line {
    fn write(&self, status: StatusCode, refusals: &Refusals) {
        let client = self.client.address;
        let method = self.method.as_str();
        let path = self.path.as_str();
        let status = status.as_u16();
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match status {
            // Health checks poll these every few seconds.
            200 if matches!(path, "/livez" | "/readyz") => {
                tracing::debug!(%client, method, ?path, status, ms, "answered")
            }
            401 | 403 | 421 | 429 => {
                if let Some(silent) = refusals.next() {
                    tracing::warn!(%client, method, ?path, status, ms, silent, "refused");
                }
            }
            _ => tracing::info!(%client, method, ?path, status, ms, "answered"),
        }
    }
}

/// The trace that the request names in `traceparent` or in a load balancer's `X-Amzn-Trace-Id`, or a new one.
fn trace_id(headers: &HeaderMap) -> String {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let parent = header("traceparent").and_then(|text| text.parse::<TraceParent>().ok());
    let parent = parent.map(|parent| parent.trace_id());
    parent.or_else(|| header("x-amzn-trace-id").and_then(of_balancer)).unwrap_or_else(|| new_trace().trace_id())
}

/// Reads only the root: a load balancer that starts a trace sends no parent.
fn of_balancer(header: &str) -> Option<String> {
    let root = header.split(';').find_map(|field| field.trim().strip_prefix("Root=1-"))?.replace('-', "");
    let is_id = root.len() == 32 && root.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| root.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(name: &'static str, value: &'static str) -> String {
        trace_id(&HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]))
    }

    #[test]
    fn a_request_belongs_to_the_trace_that_it_names() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), id);
        assert_eq!(trace("x-amzn-trace-id", "Self=1-2-3;Root=1-0af76519-16cd43dd8448eb211c80319c"), id);
        for strange in ["Root=1-0af76519", "Root=1-0af76519-16cd43dd8448eb211c8031\u{22}x", "x"] {
            let made = trace("x-amzn-trace-id", strange);
            assert!(made.len() == 32 && made != id, "{made}");
        }
    }
}
