//! Who may request something: callers with the write token, and nobody else. A login of a browser never suffices, so no page
//! of another site can request anything with it.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;

use crate::auth::{bearer, is_same};
use crate::brake::Brake;
use crate::client::Client;
use crate::problem::Problem;

/// The write token, and the failed attempts of each address.
#[derive(Clone, Default)]
pub struct Writers {
    token: Option<SecretString>,
    brake: Arc<Brake>,
}

impl Writers {
    /// Accepts callers with this token. Without one, it accepts nobody.
    pub fn new(token: Option<SecretString>) -> Self {
        Self { token, brake: Arc::default() }
    }

    fn check(&self, client: Client, headers: &HeaderMap) -> Result<(), Problem> {
        let token = self.token.as_ref().ok_or_else(Problem::no_writing)?;
        let said = bearer(headers).ok_or_else(Problem::not_a_writer)?;
        let now = Instant::now();
        if self.brake.wait(client.key(), now).is_some() {
            return Err(Problem::too_many_logins());
        }
        if is_same(Some(token), said) {
            return Ok(());
        }
        self.brake.failed(client.key(), now);
        Err(Problem::not_a_writer())
    }
}

/// Rejects requests without the write token.
pub async fn guard(
    State(writers): State<Writers>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Response {
    // No other method writes, and the router answers those that it does not have.
    if !matches!(*request.method(), Method::POST | Method::PUT | Method::DELETE) {
        return next.run(request).await;
    }
    match writers.check(client, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => refuse(problem),
    }
}

fn refuse(problem: Problem) -> Response {
    let is_challenge = problem.status == 401;
    let mut response = problem.into_response();
    if is_challenge {
        let challenge = HeaderValue::from_static("Bearer realm=\"Candlewick runs\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
