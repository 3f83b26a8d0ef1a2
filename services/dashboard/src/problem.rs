//! Errors as callers see them: problem details (RFC 9457), which pages show as text.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request failed (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, ToSchema)]
#[error("{detail}")]
pub struct Problem {
    /// The kind of the problem: `urn:candlewick:problem:not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    #[schema(example = "Not found")]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// What is wrong with this request, and what to do next.
    pub detail: String,
}

/// The prefix of the kinds of problems.
const PROBLEM: &str = "urn:candlewick:problem:";

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let kind = format!("{PROBLEM}{}", title.to_ascii_lowercase().replace(' ', "-"));
        Self { kind, title, status: status.as_u16(), detail: detail.into() }
    }

    /// The path or a parameter is invalid.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The requested resource does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The request has no secret or a wrong one.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "send the token (Authorization: Bearer …) or log in with the password")
    }

    /// The address has tried too many wrong secrets.
    pub fn too_many_logins() -> Self {
        let detail = "too many wrong logins from this address: try again in ten seconds";
        Self { kind: format!("{PROBLEM}too-many-logins"), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// The request lacks the right to change something.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self { kind: format!("{PROBLEM}not-allowed"), ..Self::new(StatusCode::FORBIDDEN, detail) }
    }

    /// The body or a stored document is not valid.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// What was to be replaced has changed meanwhile.
    pub fn changed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, detail)
    }

    /// Nobody may request anything, because there is no write token.
    pub fn no_writing() -> Self {
        let detail = "runs cannot be requested here: set DASHBOARD_WRITE_TOKEN, and send it as Authorization: Bearer …";
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// The request has no write token or a wrong one.
    pub fn not_a_writer() -> Self {
        let detail = "send the write token (Authorization: Bearer …, DASHBOARD_WRITE_TOKEN); a login only reads";
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// The request contradicts an earlier one.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// The body is larger than any request has to be.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large: name no symbols for all, or fewer")
    }

    /// A page of another site triggered the request.
    pub fn foreign_page() -> Self {
        Self::new(StatusCode::FORBIDDEN, "the page of another site may lead here, and not ask from here")
    }

    /// The request is for a host that is not served.
    pub fn misdirected() -> Self {
        let detail = "without a token or a password only localhost is served: ask for localhost or 127.0.0.1";
        Self::new(StatusCode::MISDIRECTED_REQUEST, detail)
    }

    /// The client sends too many requests.
    pub fn too_many_requests() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "ask less often; Retry-After says when to come back")
    }

    /// The response took too long.
    pub fn timed_out() -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "the answer took too long: ask for a shorter range")
    }

    /// A dependency does not answer.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// The maximum number of event streams is open.
    pub fn too_many_listeners() -> Self {
        Self::unavailable(
            "as many streams of events are open as may be (DASHBOARD_EVENT_STREAMS in all, \
             DASHBOARD_EVENT_STREAMS_PER_ADDRESS of one address): close pages that nobody looks at, or come back when \
             Retry-After says",
        )
    }

    /// The Retry-After value in seconds, if a retry is likely to help.
    fn retry_after(&self) -> Option<&'static str> {
        match self.status {
            429 if self.kind.ends_with("too-many-logins") => Some("10"),
            429 => Some("1"),
            503 => Some("10"),
            _ => None,
        }
    }

    /// A problem with a known status and no details.
    fn of_status(status: StatusCode) -> Self {
        let detail = match status {
            StatusCode::NOT_FOUND => "nothing is at this address; / lists what there is, and /api the API's addresses",
            StatusCode::METHOD_NOT_ALLOWED => "this address does not have this method; Allow names those that it has",
            StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
            StatusCode::INTERNAL_SERVER_ERROR => "the dashboard failed at this; its log says why",
            _ => "the request cannot be answered",
        };
        Self::new(status, detail)
    }
}

impl From<sqlx::Error> for Problem {
    /// The error of the database is logged, but not returned to the caller.
    fn from(error: sqlx::Error) -> Self {
        match &error {
            // SQLSTATE 57014: the statement timed out.
            sqlx::Error::Database(database) if database.code().as_deref() == Some("57014") => return Self::timed_out(),
            _ => tracing::error!("read the database: {error}"),
        }
        Self::unavailable("the database does not answer; it is asked anew at the next try")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Marks a response that is sent unchanged, whatever its status, because it has its own page.
#[derive(Clone, Copy, Debug)]
pub struct AsItIs;

/// Turns every error that is not yet a problem into one: an unknown path, a wrong method or a body that is too large.
pub async fn dress(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_dressed = response.extensions().get::<AsItIs>().is_some();
    if !is_error || is_dressed || response.extensions().get::<Problem>().is_some() {
        return response;
    }
    let mut dressed = Problem::of_status(status).into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        dressed.headers_mut().insert(header::ALLOW, allow.clone());
    }
    dressed
}

/// The problem that is returned after a panic. The panic hook logs the panic itself.
pub fn of_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}
