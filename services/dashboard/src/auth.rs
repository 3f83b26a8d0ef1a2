//! Who may look.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::problem::Problem;

/// What a caller must know: a token (`Authorization: Bearer …`) or a password (HTTP basic, whatever the user's name).
#[derive(Clone, Debug)]
pub struct Secrets {
    token: Option<SecretString>,
    password: Option<SecretString>,
}

impl Secrets {
    /// One of the two suffices; none where neither is set.
    #[must_use]
    pub fn new(token: Option<SecretString>, password: Option<SecretString>) -> Option<Self> {
        (token.is_some() || password.is_some()).then_some(Self { token, password })
    }

    /// Whether the headers carry one of the secrets.
    #[must_use]
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let Some((scheme, rest)) = value.split_once(' ') else { return false };
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => is_same(self.token.as_ref(), rest.trim()),
            "basic" => password_of(rest.trim()).is_some_and(|password| is_same(self.password.as_ref(), &password)),
            _ => false,
        }
    }

    /// What a caller is told to bring.
    fn challenges(&self) -> impl Iterator<Item = HeaderValue> + use<> {
        let basic =
            self.password.as_ref().map(|_| HeaderValue::from_static("Basic realm=\"Candlewick\", charset=\"UTF-8\""));
        let bearer = self.token.as_ref().map(|_| HeaderValue::from_static("Bearer realm=\"Candlewick\""));
        basic.into_iter().chain(bearer)
    }
}

/// Compares digests, each in the same time, so that neither the length nor the first wrong letter shows.
fn is_same(secret: Option<&SecretString>, said: &str) -> bool {
    let Some(secret) = secret else { return false };
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    digest(secret.expose_secret()).as_slice().ct_eq(digest(said).as_slice()).into()
}

fn password_of(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

/// Lets nobody by who brings no secret.
pub async fn guard(State(secrets): State<Option<Secrets>>, request: Request, next: Next) -> Response {
    match secrets {
        Some(secrets) if !secrets.admit(request.headers()) => {
            let mut response = Problem::unauthorized().into_response();
            for challenge in secrets.challenges() {
                response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
        _ => next.run(request).await,
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
    fn a_secret_that_is_not_set_opens_nothing() {
        assert!(!admits(Some("t"), None, &format!("Basic {}", STANDARD.encode("u:"))));
        assert!(!admits(None, Some("p"), "Bearer "));
        assert!(Secrets::new(None, None).is_none());
    }
}
