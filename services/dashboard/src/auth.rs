//! Authentication.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::brake::Brake;
use crate::client::Client;
use crate::links;
use crate::problem::Problem;
use crate::refusals::Refusals;
use crate::ticket::Tickets;

/// The accepted secrets: a token (`Authorization: Bearer …`) or a password (HTTP basic, with any user name). Those who may
/// request runs may also read.
#[derive(Clone, Debug)]
pub struct Secrets {
    token: Option<SecretString>,
    password: Option<SecretString>,
    write_token: Option<SecretString>,
}

impl Secrets {
    /// Either secret suffices; `None` if neither is set.
    pub fn new(token: Option<SecretString>, password: Option<SecretString>) -> Option<Self> {
        (token.is_some() || password.is_some()).then_some(Self { token, password, write_token: None })
    }

    /// The same secrets, and the token of those who may request runs.
    pub fn with_writers(self, write_token: Option<SecretString>) -> Self {
        Self { write_token, ..self }
    }

    /// Whether the headers contain one of the secrets.
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let Some((scheme, rest)) = value.split_once(' ') else { return false };
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => is_same(self.token.as_ref(), rest.trim()) | is_same(self.write_token.as_ref(), rest.trim()),
            "basic" => password_of(rest.trim()).is_some_and(|password| is_same(self.password.as_ref(), &password)),
            _ => false,
        }
    }

    /// Whether a text is one of the secrets: the login form has one field for both.
    pub fn know(&self, said: &str) -> bool {
        let token = is_same(self.token.as_ref(), said);
        let password = is_same(self.password.as_ref(), said);
        token | password
    }

    /// The `WWW-Authenticate` values for the secrets that are set.
    fn challenges(&self) -> impl Iterator<Item = HeaderValue> + use<> {
        let basic =
            self.password.as_ref().map(|_| HeaderValue::from_static("Basic realm=\"Candlewick\", charset=\"UTF-8\""));
        let bearer = self.token.as_ref().map(|_| HeaderValue::from_static("Bearer realm=\"Candlewick\""));
        basic.into_iter().chain(bearer)
    }
}

/// Compares digests in constant time, so that neither the length nor the first wrong character leaks.
pub fn is_same(secret: Option<&SecretString>, said: &str) -> bool {
    let Some(secret) = secret else { return false };
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    digest(secret.expose_secret()).as_slice().ct_eq(digest(said).as_slice()).into()
}

/// The token of `Authorization: Bearer …`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn password_of(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

/// The login: the secrets, the failed attempts of each address, and the tickets of browsers.
#[derive(Clone)]
pub struct Gate {
    secrets: Secrets,
    tickets: Tickets,
    brake: Arc<Brake>,
    refusals: Arc<Refusals>,
}

tokio::task_local! {
    /// Whether the request was authenticated by a ticket. If so, pages show a logout button.
    static BY_TICKET: bool;
}

/// Whether the request that this task handles was authenticated by a ticket.
pub fn came_by_ticket() -> bool {
    BY_TICKET.try_with(|by_ticket| *by_ticket).unwrap_or(false)
}

impl Gate {
    /// A login that accepts these secrets.
    pub fn new(secrets: Secrets) -> Self {
        let words = [&secrets.token, &secrets.password].map(|secret| secret.as_ref().map_or("", |s| s.expose_secret()));
        let tickets = Tickets::new(words);
        Self { secrets, tickets, brake: Arc::default(), refusals: Arc::default() }
    }

    /// Whether a browser's headers contain a currently valid ticket.
    pub fn has_ticket(&self, headers: &HeaderMap) -> bool {
        self.tickets.admit(headers, Timestamp::now())
    }

    /// The key of a read-only link to a dashboard.
    pub fn link_key(&self, name: &str) -> Option<String> {
        self.tickets.link_key(name)
    }

    /// Whether a key is that of a read-only link to a dashboard.
    pub fn has_link(&self, name: &str, key: &str) -> bool {
        self.tickets.is_link_key(name, key)
    }

    /// Returns a ticket cookie if the text of the form is the token or the password.
    pub fn log_in(&self, client: Client, said: &str) -> Result<HeaderValue, Problem> {
        self.try_secret(client, |secrets| secrets.know(said))?;
        self.tickets.issue(Timestamp::now(), client.is_tls).map_err(|error| Problem::unavailable(error.to_string()))
    }

    /// Checks a secret, unless the address has had too many failures. Then even the right secret is rejected, because
    /// the response would otherwise confirm a guess.
    fn try_secret(&self, client: Client, is_right: impl FnOnce(&Secrets) -> bool) -> Result<(), Problem> {
        let now = Instant::now();
        if self.brake.wait(client.key(), now).is_some() {
            return Err(Problem::too_many_logins());
        }
        if is_right(&self.secrets) {
            return Ok(());
        }
        self.brake.failed(client.key(), now);
        if let Some(silent) = self.refusals.next() {
            tracing::warn!(client = %client.address, silent, "a login failed: the token or the password is wrong");
        }
        Err(Problem::unauthorized())
    }

    fn refuse(&self, problem: Problem) -> Response {
        let is_challenge = problem.status == StatusCode::UNAUTHORIZED.as_u16();
        let mut response = problem.into_response();
        for challenge in self.secrets.challenges().filter(|_| is_challenge) {
            response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Rejects requests without a valid ticket, link or secret.
pub async fn guard(
    State(gate): State<Option<Gate>>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Response {
    let Some(gate) = gate else { return next.run(request).await };
    if gate.has_ticket(request.headers()) {
        return BY_TICKET.scope(true, next.run(request)).await;
    }
    if links::asked(request.uri()).is_some_and(|(name, key)| gate.has_link(name, key)) {
        return next.run(request).await;
    }
    if !request.headers().contains_key(header::AUTHORIZATION) {
        return gate.refuse(Problem::unauthorized());
    }
    match gate.try_secret(client, |secrets| secrets.admit(request.headers())) {
        Ok(()) => next.run(request).await,
        Err(problem) => gate.refuse(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(token: Option<&str>, password: Option<&str>, header: &str) -> bool {
        let secrets = Secrets::new(token.map(SecretString::from), password.map(SecretString::from)).unwrap();
        secrets.admit(&HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(header).unwrap())]))
    }

    #[test]
    fn the_token_and_the_password_open_and_nothing_else_does() {
        let basic = |user_and_password: &str| format!("Basic {}", STANDARD.encode(user_and_password));
        assert!(admits(Some("t"), None, "Bearer t") && admits(Some("t"), None, "bearer t"));
        assert!(admits(None, Some("p:q"), &basic("anybody:p:q")));
        for wrong in ["Bearer", "Bearer ", "Bearer tt", "Bearer p", "Digest t", "Basic !", &basic("t"), &basic("u:t")] {
            assert!(!admits(Some("t"), Some("p"), wrong), "{wrong}");
        }
    }

    #[test]
    fn a_link_is_good_for_one_dashboard_while_the_secret_is_the_same() {
        let gate = |token: &str| Gate::new(Secrets::new(Some(SecretString::from(token)), None).unwrap());
        let key = gate("open-sesame").link_key("stocks").unwrap();
        assert!(gate("open-sesame").has_link("stocks", &key));
        assert!(!gate("open-sesame").has_link("etfs", &key) && !gate("other").has_link("stocks", &key));
        for wrong in ["", "0", "zz", "é", &key[..62]] {
            assert!(!gate("open-sesame").has_link("stocks", wrong), "{wrong}");
        }
    }

    #[test]
    fn a_secret_that_is_not_set_opens_nothing() {
        assert!(!admits(Some("t"), None, &format!("Basic {}", STANDARD.encode("u:"))));
        assert!(!admits(None, Some("p"), "Bearer "));
        assert!(Secrets::new(None, None).is_none());
    }

    #[test]
    fn the_write_token_reads_and_is_no_login() {
        let secrets = Secrets::new(Some("reads".into()), None).unwrap().with_writers(Some("writes".into()));
        let says = |value| HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        assert!(secrets.admit(&says("Bearer writes")) && secrets.admit(&says("Bearer reads")));
        assert!(!secrets.know("writes") && secrets.know("reads"));
    }
}
