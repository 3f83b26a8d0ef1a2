//! Logging in by a form, and out again.

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::auth::Gate;
use crate::client::Client;
use crate::pages::shell::Shell;
use crate::problem::{AsItIs, Problem};
use crate::ticket;

/// How long the address may be that a login leads on to.
const MOST_OF_AN_ADDRESS: usize = 400;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    shell: Shell,
    /// What went wrong with the last try; empty before it.
    wrong: &'a str,
    next: &'a str,
}

/// What the form sends.
#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    secret: String,
    #[serde(default)]
    next: String,
}

/// The form.
pub async fn page(State(gate): State<Option<Gate>>) -> Result<Response, Problem> {
    if gate.is_none() {
        return Ok(Redirect::to("/").into_response());
    }
    form(StatusCode::OK, "", "/")
}

/// The form, as what a visitor sees who has no login. It says nothing about what is behind it.
pub fn form(status: StatusCode, wrong: &str, next: &str) -> Result<Response, Problem> {
    let page = LoginPage { shell: Shell::of("login"), wrong, next: own_address(next) };
    let mut response = (status, super::render::html(&page)?).into_response();
    response.extensions_mut().insert(AsItIs);
    Ok(response)
}

/// Looks at the secret, and leads on to the page that was wanted.
pub async fn log_in(
    State(gate): State<Option<Gate>>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Some(gate) = gate else { return Ok(Redirect::to("/").into_response()) };
    let login: Login =
        serde_urlencoded::from_bytes(&body).map_err(|_| Problem::bad_request("the form is not complete"))?;
    match gate.log_in(client, login.secret.trim()) {
        Ok(cookie) => {
            let mut response = Redirect::to(own_address(&login.next)).into_response();
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(problem) => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNAUTHORIZED);
            let is_wrong = status == StatusCode::UNAUTHORIZED;
            let wrong = if is_wrong { "That is not it." } else { problem.detail.as_str() };
            let mut response = form(status, wrong, &login.next)?;
            // When to come back, where the address has to wait.
            let plain = problem.clone().into_response();
            plain
                .headers()
                .get(header::RETRY_AFTER)
                .map(|when| response.headers_mut().insert(header::RETRY_AFTER, when.clone()));
            Ok(response)
        }
    }
}

/// Takes the ticket back from the browser.
pub async fn log_out(Extension(client): Extension<Client>) -> Response {
    let mut response = Redirect::to("/login").into_response();
    if let Ok(cookie) = HeaderValue::from_str(&ticket::taken_back(client.is_tls)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// An address of this site, or the first page: a login must not lead elsewhere. `//host` and `/\host` are other sites'.
fn own_address(next: &str) -> &str {
    let is_own = next.starts_with('/') && !next[1..].starts_with(['/', '\\']) && next.len() <= MOST_OF_AN_ADDRESS;
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic());
    if is_own && is_plain { next } else { "/" }
}

/// Where a login leads on to from a page that was refused.
pub fn next_of(headers: &HeaderMap, path_and_query: &str) -> String {
    // What a page fetches by itself is no page to come back to.
    let is_page = headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    if is_page { own_address(path_and_query).to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_no_other_site() {
        for own in ["/", "/symbol/BTC%2FUSD/1day?from=2024-01-01", "/quality"] {
            assert_eq!(own_address(own), own);
        }
        for foreign in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\r\nx: y", "/\t/evil.example"]
        {
            assert_eq!(own_address(foreign), "/", "{foreign}");
        }
    }
}
